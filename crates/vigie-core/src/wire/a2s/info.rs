//! Decides what an INFO reply says.

use super::reader::Reader;
use super::{A2sError, single};

const INFO: u8 = 0x49;
const EDF_PORT: u8 = 0x80;
const EDF_STEAMID: u8 = 0x10;
const EDF_SOURCETV: u8 = 0x40;
const EDF_KEYWORDS: u8 = 0x20;
const EDF_GAMEID: u8 = 0x01;

/// A server's state. Strings are as sent: make them printable before showing them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// 17 for Source.
    pub protocol: u8,
    /// The server's name.
    pub name: String,
    /// The map.
    pub map: String,
    /// The game's directory, `garrysmod`.
    pub folder: String,
    /// The game mode, e.g. `DarkRP`.
    pub game: String,
    /// The low 16 bits of the application's id; 4000 for Garry's Mod.
    pub appid: u16,
    /// Players connected.
    pub players: u8,
    /// Places.
    pub max_players: u8,
    /// Bots among the players.
    pub bots: u8,
    /// `d` dedicated, `l` listen, `p` proxy.
    pub server_type: char,
    /// `l` Linux, `w` Windows, `m` or `o` macOS.
    pub os: char,
    /// Whether a password is needed.
    pub password: bool,
    /// Whether VAC is on.
    pub vac: bool,
    /// The version.
    pub version: String,
    /// The game's own port.
    pub port: Option<u16>,
    /// The server's SteamID.
    pub steamid: Option<u64>,
    /// SourceTV's port and name.
    pub sourcetv: Option<(u16, String)>,
    /// Keywords such as `gm:darkrp`.
    pub keywords: Option<String>,
    /// The application's whole id.
    pub gameid: Option<u64>,
}

impl Info {
    /// Reads a whole reply, header included.
    ///
    /// # Errors
    /// See [`A2sError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, A2sError> {
        single(bytes)?;
        let mut read = Reader::new(bytes, 4);
        let kind = read.u8("the kind of reply")?;
        if kind != INFO {
            let value = u32::from(kind);
            return Err(A2sError::Unexpected { what: "the kind of reply", at: 4, value });
        }
        let mut info = Self {
            protocol: read.u8("the protocol")?,
            name: read.string("the name")?,
            map: read.string("the map")?,
            folder: read.string("the folder")?,
            game: read.string("the game")?,
            appid: read.u16("the appid")?,
            players: read.u8("the players")?,
            max_players: read.u8("the places")?,
            bots: read.u8("the bots")?,
            server_type: char::from(read.u8("the server type")?),
            os: char::from(read.u8("the system")?),
            password: read.u8("the password flag")? != 0,
            vac: read.u8("the VAC flag")? != 0,
            version: read.string("the version")?,
            port: None,
            steamid: None,
            sourcetv: None,
            keywords: None,
            gameid: None,
        };
        // Old servers end here.
        if !read.is_done() {
            info.extra(&mut read)?;
        }
        Ok(info)
    }

    fn extra(&mut self, read: &mut Reader<'_>) -> Result<(), A2sError> {
        let flags = read.u8("the extra data flags")?;
        if flags & EDF_PORT != 0 {
            self.port = Some(read.u16("the port")?);
        }
        if flags & EDF_STEAMID != 0 {
            self.steamid = Some(read.u64("the SteamID")?);
        }
        if flags & EDF_SOURCETV != 0 {
            self.sourcetv = Some((read.u16("SourceTV's port")?, read.string("SourceTV's name")?));
        }
        if flags & EDF_KEYWORDS != 0 {
            self.keywords = Some(read.string("the keywords")?);
        }
        if flags & EDF_GAMEID != 0 {
            self.gameid = Some(read.u64("the game id")?);
        }
        Ok(())
    }
}
