//! Decides which ports a project publishes, so that whoever knows a service by its port on the host finds
//! it behind another address. Never publishes one.

use super::tree::Tree;

/// A port that is published.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port {
    /// By which service.
    pub service: String,
    /// On the host.
    pub published: u16,
    /// In the container.
    pub target: u16,
    /// UDP, not TCP.
    pub udp: bool,
}

/// What `service` publishes on ports that are known; others nobody can ask for.
pub(super) fn published(name: &str, service: &Tree) -> Vec<Port> {
    let items = service.get("ports").map(Tree::items).unwrap_or_default();
    items.iter().flat_map(|item| of(name, item)).collect()
}

fn of(name: &str, item: &Tree) -> Vec<Port> {
    let (published, target, protocol) = match item.text() {
        Some(text) => short(text),
        None => {
            let part =
                |key: &str| item.get(key).and_then(Tree::text).unwrap_or_default().to_owned();
            (part("published"), part("target"), part("protocol"))
        }
    };
    let (Some(published), Some(target)) = (range(&published), range(&target)) else {
        return Vec::new();
    };
    let udp = protocol.eq_ignore_ascii_case("udp");
    // A range for one port means any of it.
    let pairs = published.zip(target);
    pairs
        .map(|(published, target)| Port { service: name.to_owned(), published, target, udp })
        .collect()
}

/// `127.0.0.1:27015:27015/udp`, `8080:80`, `80`.
fn short(text: &str) -> (String, String, String) {
    let (text, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (published, target) = text.rsplit_once(':').unwrap_or(("", text));
    let published = published.rsplit_once(':').map_or(published, |(_, port)| port);
    (published.to_owned(), target.to_owned(), protocol.to_owned())
}

/// `27015` or `27015-27020`.
fn range(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
    (from > 0 && from <= to).then_some(from..=to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::Document;

    fn read(text: &str) -> Vec<(u16, u16, bool)> {
        let service = Tree::read(Document::parse(text).unwrap().root().unwrap());
        let ports = published("gmod", &service).into_iter();
        ports.map(|port| (port.published, port.target, port.udp)).collect()
    }

    #[test]
    fn every_way_to_write_a_port_is_read() {
        let text = "ports: [\"27015:27015/udp\", \"127.0.0.1:8080:80\", \"[::1]:81:82/tcp\", 9000, \
                    \"5000-5001:6000-6001\"]";
        let wanted = [
            (27015, 27015, true),
            (8080, 80, false),
            (81, 82, false),
            (5000, 6000, false),
            (5001, 6001, false),
        ];
        assert_eq!(read(text), wanted);
        let long = "ports:\n- {mode: ingress, target: 3306, published: \"3307\", protocol: tcp}\n\
                    - {target: 27015, published: 27016, protocol: udp, host_ip: 127.0.0.1}\n- {target: 1}\n";
        assert_eq!(read(long), [(3307, 3306, false), (27016, 27015, true)]);
        assert_eq!(read("image: x"), []);
    }
}
