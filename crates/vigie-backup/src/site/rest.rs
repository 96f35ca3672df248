//! Does: speaks restic's own protocol with `rest-server` or `rclone serve restic`. It never uses more
//! of it than both understand.

use bytes::Bytes;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use rustic_core::Id;
use serde::Deserialize;

use super::wait::Waiter;
use super::{Secret, http};
use crate::store::{Area, Fault, Object, Part, Store, Trouble, id, length};

/// What lists files with their sizes.
const LIST: &str = "application/vnd.x.restic.rest.v2";

/// A repository on a server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rest {
    /// Its address, as `https://backup.example.org:8000/vigie`.
    pub endpoint: String,
    /// Whoever logs in; empty for nobody.
    pub user: String,
    /// Their password.
    pub password: Secret,
}

impl std::fmt::Display for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rest:{}", http::shown(&self.endpoint).unwrap_or_default())
    }
}

/// A server that keeps a repository.
pub(crate) struct Server {
    place: String,
    url: Url,
    login: Option<(String, Secret)>,
    client: Client,
    waiter: Waiter,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("place", &self.place).finish_non_exhaustive()
    }
}

/// One file in a list.
#[derive(Deserialize)]
struct Listed {
    name: String,
    size: u64,
}

impl Server {
    /// The server at an address.
    pub(crate) fn new(rest: &Rest) -> Result<Self, Fault> {
        let wrong = |why: &str| {
            let why = format!("{why}; write it like https://backup.example.org:8000/vigie");
            Fault::new(Trouble::Wrong, why)
        };
        let address = format!("{}/", rest.endpoint.trim_end_matches('/'));
        let url = Url::parse(&address).map_err(|error| wrong(&format!("the address: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "the address has a login in it, which belongs into user and password",
            ));
        }
        let login = (!rest.user.is_empty()).then(|| (rest.user.clone(), rest.password.clone()));
        let (client, waiter) = (http::client()?, Waiter::new()?);
        Ok(Self { place: rest.to_string(), url, login, client, waiter })
    }

    fn ask(&self, method: Method, path: &str) -> Result<RequestBuilder, Fault> {
        let url = self.url.join(path);
        let url = url.map_err(|error| Fault::new(Trouble::Wrong, format!("{path}: {error}")))?;
        let request = self.client.request(method, url);
        Ok(match &self.login {
            Some((user, password)) => request.basic_auth(user, Some(password.reveal())),
            None => request,
        })
    }

    /// The answer, if it is one of success.
    fn answer(&self, what: &str, bytes: u64, request: RequestBuilder) -> Result<Answer, Fault> {
        self.waiter.wait(what, bytes, async {
            let response = request.send().await.map_err(|error| http::failed(what, error))?;
            let status = response.status();
            if !status.is_success() {
                return Err(Fault::from_status(what, status.as_u16()));
            }
            let size = announced(&response);
            let content = response.bytes().await.map_err(|error| http::failed(what, error))?;
            Ok(Answer { status, size, content })
        })
    }

    /// The path of a file; this protocol has packs in one directory.
    fn path(object: &Object) -> String {
        match object.area {
            Area::Config => object.name(),
            area => format!("{}/{}", area.name(), object.name()),
        }
    }
}

/// What came.
struct Answer {
    status: StatusCode,
    size: Option<u64>,
    content: Bytes,
}

fn announced(response: &Response) -> Option<u64> {
    let value = response.headers().get(reqwest::header::CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

impl Store for Server {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn make(&self) -> Result<(), Fault> {
        let request = self.ask(Method::POST, "?create=true")?;
        self.answer("making the repository", 0, request).map(drop)
    }

    fn list(&self, area: Area) -> Result<Vec<(Id, u64)>, Fault> {
        let what = format!("listing {}", area.name());
        let request = self.ask(Method::GET, &format!("{}/", area.name()))?.header("Accept", LIST);
        let answer = match self.answer(&what, 16 << 20, request) {
            Err(fault) if fault.is_missing() => return Ok(Vec::new()),
            answer => answer?,
        };
        // An empty directory is `null` for some servers.
        let listed: Option<Vec<Listed>> = serde_json::from_slice(&answer.content)
            .map_err(|error| Fault::new(Trouble::Wrong, format!("{what}: {error}")))?;
        let listed = listed.unwrap_or_default().into_iter();
        Ok(listed.filter_map(|one| Some((id(&one.name)?, one.size))).collect())
    }

    fn size(&self, object: &Object) -> Result<Option<u64>, Fault> {
        let what = format!("looking for {object}");
        let request = self.ask(Method::HEAD, &Self::path(object))?;
        match self.answer(&what, 0, request) {
            Ok(answer) => Ok(Some(answer.size.unwrap_or(0))),
            Err(fault) if fault.is_missing() => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    fn read(&self, object: &Object, part: Option<Part>) -> Result<Bytes, Fault> {
        let what = format!("reading {object}");
        let mut request = self.ask(Method::GET, &Self::path(object))?;
        let Some(part) = part else {
            return Ok(self.answer(&what, 16 << 20, request)?.content);
        };
        let last = part.offset + part.length - 1;
        request = request.header("Range", format!("bytes={}-{last}", part.offset));
        let answer = self.answer(&what, part.length, request)?;
        if answer.status != StatusCode::PARTIAL_CONTENT
            || answer.content.len() as u64 != part.length
        {
            let came = answer.content.len();
            let why = format!("{what}: {came} bytes of {} came", part.length);
            return Err(Fault::new(Trouble::Short, why));
        }
        Ok(answer.content)
    }

    fn write(&self, object: &Object, content: &[Bytes]) -> Result<(), Fault> {
        let what = format!("writing {object}");
        let request = self.ask(Method::POST, &Self::path(object))?.body(content.concat());
        match self.answer(&what, length(content), request) {
            // Servers that only grow refuse what is there; the same name and size is the same content.
            Err(fault)
                if fault.trouble != Trouble::Passing
                    && object.area != Area::Config
                    && self.size(object)? == Some(length(content)) =>
            {
                Ok(())
            }
            answer => answer.map(drop),
        }
    }

    fn remove(&self, object: &Object) -> Result<(), Fault> {
        let request = self.ask(Method::DELETE, &Self::path(object))?;
        self.answer(&format!("removing {object}"), 0, request).map(drop)
    }
}
