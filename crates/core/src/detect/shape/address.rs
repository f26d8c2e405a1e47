//! IP addresses, and the host names that EC2 makes of them.

use std::net::Ipv6Addr;
use std::ops::Range;

use crate::catalog::{Catalog, KindId};
use crate::detect::evidence::nearby::vouches;
use crate::detect::text::boundary::{MAX_ESCAPE, ends_at, is_alnum, run_end, run_start, word_start};
use crate::detect::text::word_list::WordList;
use crate::detect::{Finding, Hits, Part, Scan};
use crate::token::{MAX_TOKEN_LEN, is_token_shaped};

/// Longest spelling of an IPv6 address.
const MAX_IPV6: usize = 39;
/// Longest text in which every address is believed. In longer ones, manuals and sources, something must speak of AWS
/// before an address counts that nobody has: one for documentation, or an object identifier or a section that looks like
/// an address.
pub(in crate::detect) const LONG_TEXT: usize = 1024;
/// How far before an address the word may begin that says what it is, and what may stand between, bytes: quotes in JSON inside
/// JSON have backslashes.
const WORD_REACH: usize = 32;
const MAX_GAP: usize = 16;
/// Longest name of a user in the log of a web server.
const MAX_USER: usize = 64;

/// An address in a long text that may be nobody's, and nothing near which speaks of AWS.
#[derive(Debug)]
pub(in crate::detect) struct Address {
    kind: KindId,
    /// With its prefix length.
    pub(in crate::detect) span: Range<usize>,
    /// Where the address itself ends.
    end: usize,
}

impl Address {
    /// The same address, where `place` says that it stands.
    pub(in crate::detect) fn moved_to(&self, place: impl Fn(&Range<usize>) -> Range<usize>) -> Self {
        Self { kind: self.kind, span: place(&self.span), end: place(&(self.span.start..self.end)).end }
    }
}

impl Hits {
    /// Believes the addresses of a text in which something of AWS was found, wherever that stands.
    pub(in crate::detect) fn settle_addresses(&mut self, catalog: &Catalog) {
        let addresses = std::mem::take(&mut self.addresses);
        if addresses.is_empty() {
            return;
        }
        if self.findings.iter().filter(|f| vouches(catalog, f.kind)).count() > self.hearsay.len() {
            for Address { kind, span, end } in addresses {
                self.parts.push(Part { kind, span: span.start..end, is_name: false });
                self.findings.push(Finding { kind, span });
            }
        }
    }
}

impl Scan<'_, '_> {
    /// Looks at the IPv4 address whose first dot is at `dot`; gives where to go on.
    pub(in crate::detect) fn dotted_address(&mut self, dot: usize) -> usize {
        let text = self.text;
        let kind = self.detector.catalog.known.ipv4;
        let next = run_end(text, dot + 1, 64, |c| c.is_ascii_digit() || c == b'.');
        let start = word_start(text, run_start(text, dot, MAX_ESCAPE + 3, is_alnum));
        let Some((octets, end)) = quad(text, start, b'.') else { return next };
        if !self.wants(kind)
            || start > 0 && text[start - 1] == b'.'
            || !ends_at(text, end)
            || text.get(end) == Some(&b'.')
                && text.get(end + 1).is_some_and(u8::is_ascii_digit)
                && !(octets[0] > 9 && is_captured_port(text, end + 1))
            || is_well_known(octets)
            || is_version(text, start, end, octets)
        {
            return next;
        }
        let suffix = prefix_length_end(text, end, 32);
        if octets[1..] == [0; 3] && is_shorter(&text[end..suffix], 8) {
            return next;
        }
        let may_be_nobody_s = is_for_documentation(octets)
            || (may_be_number(octets) || may_be_section(octets)) && !stands_for_a_host(text, start, end, suffix);
        self.address(kind, start, end, suffix, may_be_nobody_s);
        if matches!(text.get(end), Some(b'(' | b':')) {
            self.names_around_client(start, end);
        }
        suffix
    }

    /// Records the address `start..end` whose prefix length, if it has one, ends at `suffix`.
    fn address(&mut self, kind: KindId, start: usize, end: usize, suffix: usize, may_be_nobody_s: bool) {
        if !may_be_nobody_s || !self.is_longer(LONG_TEXT) || self.speaks_of("aws", start) {
            self.finding(kind, start, suffix);
            self.part(kind, start, end, false);
        } else {
            self.hits.addresses.push(Address { kind, span: start..suffix, end });
        }
    }

    /// Looks at `ip-10-0-1-5` whose first dash is at `dash`; gives where to go on.
    pub(in crate::detect) fn dashed_address(&mut self, dash: usize) -> usize {
        let text = self.text;
        let kind = self.detector.catalog.known.ec2_host;
        let start = word_start(text, run_start(text, dash, 8, is_alnum));
        match quad(text, dash + 1, b'-') {
            Some((_, end)) if &text[start..dash] == b"ip" && ends_at(text, end) && text.get(end) != Some(&b'-') => {
                self.whole(kind, start, end);
                end
            }
            _ => dash + 1,
        }
    }

    /// Looks at the IPv6 address whose first colon is at `colon`; gives its end, or `colon`.
    pub(in crate::detect) fn colon_address(&mut self, colon: usize) -> usize {
        let text = self.text;
        let kind = self.detector.catalog.known.ipv6;
        let is_group = |c: u8| c.is_ascii_hexdigit();
        let start = word_start(text, run_start(text, colon, MAX_ESCAPE + 4, is_alnum));
        // The first group of an address that says where something is has four digits, one of them decimal.
        if start + 4 != colon
            || !text[start..colon].iter().all(|&c| is_group(c))
            || start > 0 && text[start - 1] == b':'
        {
            return colon;
        }
        if !text[start..colon].iter().any(u8::is_ascii_digit) {
            return colon;
        }
        let mut end = run_end(text, colon, MAX_IPV6, |c| is_group(c) || c == b':');
        while end > colon + 1 && text[end - 1] == b':' && text[end - 2] != b':' {
            end -= 1;
        }
        // The last group may be the beginning of a token: `2001:db8::EC2_…`.
        let group = run_start(text, end, end - colon - 1, is_group);
        let word_end = run_end(text, group, MAX_TOKEN_LEN + 1, |c| is_alnum(c) || c == b'_');
        if is_token_shaped(&text[group..word_end]) {
            return colon;
        }
        let Ok(spelled) = std::str::from_utf8(&text[start..end]) else { return colon };
        let Ok(address) = spelled.parse::<Ipv6Addr>() else { return colon };
        if !ends_at(text, end) || is_nobody_s(address) || !self.wants(kind) {
            return colon;
        }
        let suffix = prefix_length_end(text, end, 128);
        // `2002::/16`, `Jun 6 2006::`
        let is_first_group = start + 6 == end && suffix == end;
        if spelled.ends_with("::") && (is_first_group || is_shorter(&text[end..suffix], 17)) {
            return suffix;
        }
        // RFC 3849
        let is_for_documentation = matches!(address.segments(), [0x2001, 0x0db8, ..]);
        self.address(kind, start, end, suffix, is_for_documentation);
        suffix
    }
}

pub(in crate::detect) fn begins_word(text: &[u8], start: usize) -> bool {
    let run = run_start(text, start, 8, is_alnum);
    run == start || word_start(text, run) == start
}

/// Four numbers up to 255 without leading zeros, joined by `separator`.
fn quad(text: &[u8], start: usize, separator: u8) -> Option<([u8; 4], usize)> {
    let mut octets = [0u8; 4];
    let mut at = start;
    for (i, octet) in octets.iter_mut().enumerate() {
        if i > 0 {
            if text.get(at) != Some(&separator) {
                return None;
            }
            at += 1;
        }
        let end = run_end(text, at, 4, |c| c.is_ascii_digit());
        let digits = std::str::from_utf8(&text[at..end]).ok()?;
        if digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        *octet = digits.parse().ok()?;
        at = end;
    }
    (!text.get(at).is_some_and(u8::is_ascii_digit)).then_some((octets, at))
}

/// Loopback, this host, netmasks, multicast, what nobody can have, public resolvers and AWS's own link-local services say
/// nothing about anybody.
fn is_well_known(octets: [u8; 4]) -> bool {
    const RESOLVERS: [[u8; 4]; 5] = [[8, 8, 8, 8], [8, 8, 4, 4], [1, 1, 1, 1], [1, 0, 0, 1], [9, 9, 9, 9]];
    matches!(octets, [0 | 127 | 224.., ..] | [169, 254, 169, 253..=254] | [169, 254, 170, 2])
        || RESOLVERS.contains(&octets)
}

/// Addresses that nobody is given: multicast, what IANA has not assigned (`bf16::E` is Rust), public resolvers.
fn is_nobody_s(address: Ipv6Addr) -> bool {
    const RESOLVERS: [[u16; 8]; 6] = [
        [0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8844],
        [0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888],
        [0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1001],
        [0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111],
        [0x2620, 0xfe, 0, 0, 0, 0, 0, 0x9],
        [0x2620, 0xfe, 0, 0, 0, 0, 0, 0xfe],
    ];
    let is_assigned = matches!(address.segments()[0], 0x2000..=0x3fff | 0xfc00..=0xfdff | 0xfe80..=0xfebf);
    !is_assigned || RESOLVERS.contains(&address.segments())
}

/// Addresses for documentation (RFC 5737), and the one that everybody writes.
fn is_for_documentation(octets: [u8; 4]) -> bool {
    matches!(octets, [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [1, 2, 3, 4])
}

/// What may be an object identifier (they begin with 0, 1 or 2), a version or a section (`4.2.1.3`).
fn may_be_number(octets: [u8; 4]) -> bool {
    matches!(octets, [0..=2, ..] | [..=9, ..=9, ..=9, ..=9])
}

/// What may be a section of a long standard (`27.8.3.2`, `5.2.1.10`), a version of software that counts higher
/// (`3.6.23.1`), or one before a release, for which many count from 90 (`4.3.99.16`). Of 200 addresses that begin with such
/// a number, one looks like this.
fn may_be_section(octets: [u8; 4]) -> bool {
    let [first, rest @ ..] = octets;
    let has_small = |most: u8, count: usize| rest.iter().filter(|&&octet| octet <= most).count() >= count;
    match first {
        ..=9 => has_small(9, 2) || matches!(rest, [..=9, 90..=99, ..=99] | [..=49, 90..=99, ..=9]),
        11..=33 => !rest.contains(&0) && has_small(19, 3),
        _ => false,
    }
}

/// Words before an address, or the ends of keys, that say that it is one.
const HOSTS: &[&[u8]] = &[
    b"addr",
    b"address",
    b"at",
    b"cidr",
    b"client",
    b"curl",
    b"destination",
    b"dig",
    b"dst",
    b"gateway",
    b"host",
    b"hostname",
    b"ip",
    b"ipv4",
    b"nameserver",
    b"peer",
    b"ping",
    b"remote",
    b"server",
    b"source",
    b"src",
    b"ssh",
    b"subnet",
    b"telnet",
    b"traceroute",
    b"upstream",
];

/// A port or a prefix length behind it, `@` or `//` before it, or a word that says so: no version has these.
fn stands_for_a_host(text: &[u8], start: usize, end: usize, suffix: usize) -> bool {
    let port = run_end(text, end + 1, 5, |c| c.is_ascii_digit());
    let has_port = text.get(end) == Some(&b':') && port > end + 2 && ends_at(text, port);
    // `C11 7.2.6.2/10` is a paragraph.
    let has_length = suffix == end + 3 && &text[end + 1..suffix] != b"10";
    if has_port || has_length || matches!(text[..start], [.., b'@'] | [.., b'/', b'/']) {
        return true;
    }
    // `5.9.3.1 - - [`, in the log of a web server.
    if text[end..].starts_with(b" - ") {
        let user = run_end(text, end + 3, MAX_USER, |c| c.is_ascii_graphic());
        if text[user..].starts_with(b" [") {
            return true;
        }
    }
    let (word, gap) = word_before(text, start);
    let is_between = |c: &u8| b" :=\"'\\[(`".contains(c);
    if gap.len() > MAX_GAP || !gap.iter().all(is_between) && gap.len() > 3 {
        return false;
    }
    // `X-Forwarded-For: `, `publicIp`, `sourceIPAddress`
    HOSTS.iter().any(|host| word.eq_ignore_ascii_case(host))
        || word.eq_ignore_ascii_case(b"for") && gap.starts_with(b":")
        || matches!(word, [.., b'a'..=b'z', b'I', b'p' | b'P'])
        || [&b"address"[..], b"addr", b"host"]
            .iter()
            .any(|end| word.len() > end.len() && word[word.len() - end.len()..].eq_ignore_ascii_case(end))
}

/// The last word within reach before `start`, and what stands between.
fn word_before(text: &[u8], start: usize) -> (&[u8], &[u8]) {
    let before = &text[start.saturating_sub(WORD_REACH)..start];
    let word_end = before.iter().rposition(|&c| is_alnum(c)).map_or(0, |i| i + 1);
    let word_start = before[..word_end].iter().rposition(|&c| !is_alnum(c)).map_or(0, |i| i + 1);
    (&before[word_start..word_end], &before[word_end..])
}

/// Software whose versions have four numbers.
static SOFTWARE: WordList = WordList::new(&[
    "assembly",
    "chrome",
    "chromium",
    "electron",
    "firefox",
    "git",
    "java",
    "jdk",
    "jre",
    "kernel",
    "kong",
    "libreoffice",
    "linux",
    "log4j",
    "nginx",
    "openresty",
    "oracle",
    "rails",
    "ruby",
    "struts",
    "tomcat",
]);
/// Words before a number, or the ends of keys, that say that it is none of a host.
const NUMBERS: &[&[u8]] = &[b"assemblyversion", b"objectidentifier", b"oid", b"since"];
/// Words before the number of what a standard asks for.
const OF_STANDARDS: &[&[u8]] = &[b"clause", b"control", b"requirement"];
/// What is said of a version some words before it: `upgraded from 2.1.0.4 to 2.1.0.5`.
const CHANGES: &[&[u8]] =
    &[b"version to", b"upgrade ", b"upgraded ", b"upgrading ", b"downgraded ", b"bump ", b"bumped "];

/// `Chrome/120.0.0.0`, `openresty/1.21.4.1`, `version 1.2.3.4`, `section 4.2.1.3`, `package==1.2.3.4`.
fn is_version(text: &[u8], start: usize, end: usize, octets: [u8; 4]) -> bool {
    let (word, gap) = word_before(text, start);
    if gap == b"/" {
        // `node/10.42.7.19` is one in Kubernetes.
        return word.iter().all(u8::is_ascii_alphabetic) && (word.iter().any(u8::is_ascii_uppercase) || octets[0] < 10);
    }
    let lower = word.to_ascii_lowercase();
    let is_between = |c: u8| matches!(c, b' ' | b':' | b'=' | b'"' | b'\'' | b'\\');
    let is_near = gap.len() <= MAX_GAP;
    if is_near
        && gap.iter().all(|&c| is_between(c))
        && (lower.ends_with(b"version") || [&b"section"[..], b"release", b"ver"].contains(&lower.as_slice()))
    {
        return true;
    }
    // `$Id: main.c,v 1.8.6.2 2001/02/07`
    if text[..start].ends_with(b",v ") {
        return true;
    }
    // What else is said of versions is said of hosts, too: `upgraded and moved from 3.80.12.7`.
    if !may_be_number(octets) {
        return false;
    }
    // `control 3.5.1.2`, of a standard; items of a list are addresses otherwise.
    if is_near && gap == b" " && OF_STANDARDS.contains(&lower.as_slice()) {
        return true;
    }
    // `log4j-1.2.17.1.jar`, `foo (1.2.3.4-1)`, `package==1.2.3.4`.
    let is_glued = gap == b"-" && word.iter().any(u8::is_ascii_alphabetic);
    let revision = run_end(text, end + 1, 3, |c| c.is_ascii_digit());
    let has_revision = gap.ends_with(b"(") && text.get(end) == Some(&b'-') && text.get(revision) == Some(&b')');
    let is_release = text.get(end) == Some(&b'~') || text[end..].starts_with(b" Release Notes");
    let is_section = gap.trim_ascii_end().ends_with("§".as_bytes());
    if is_glued || has_revision || is_release || is_section || matches!(gap, b"==" | b"~=" | b">=" | b"<=") {
        return true;
    }
    let before = &text[start.saturating_sub(2 * WORD_REACH)..start];
    let is_changed = || {
        let before = before.to_ascii_lowercase();
        CHANGES.iter().any(|word| memchr::memmem::find(&before, word).is_some())
    };
    is_near
        && gap.iter().all(|&c| is_between(c) || matches!(c, b'(' | b'`'))
        && (SOFTWARE.contains(&lower)
            || NUMBERS.contains(&lower.as_slice())
            || matches!(word, b"to" | b"from") && is_changed())
}

/// `10.0.1.5.443 > ` and `10.0.1.5.443: ` in what tcpdump prints.
fn is_captured_port(text: &[u8], at: usize) -> bool {
    let end = run_end(text, at, 5, |c| c.is_ascii_digit());
    text[end..].starts_with(b" > ") || text[end..].starts_with(b": ")
}

/// Past `/16`, when the address has a prefix length of at most `max`.
fn prefix_length_end(text: &[u8], end: usize, max: u8) -> usize {
    if text.get(end) != Some(&b'/') {
        return end;
    }
    let stop = run_end(text, end + 1, 4, |c| c.is_ascii_digit());
    let length = std::str::from_utf8(&text[end + 1..stop]).ok().and_then(|digits| digits.parse::<u8>().ok());
    if length.is_some_and(|l| l <= max) && ends_at(text, stop) { stop } else { end }
}

/// True for `/` and a prefix length below `least`: a network that large is shared out by registries and nobody's.
fn is_shorter(suffix: &[u8], least: u8) -> bool {
    let length = suffix.get(1..).and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u8>().ok());
    length.is_some_and(|length| length < least)
}

#[cfg(test)]
mod tests {
    use crate::detect::{Detector, DetectorConfig};

    fn found(text: &str) -> Vec<&str> {
        let detector = Detector::new(&DetectorConfig::default()).unwrap();
        let findings = detector.scan(text.as_bytes()).findings;
        findings.iter().map(|f| text.get(f.span.clone()).unwrap()).collect()
    }

    #[test]
    fn what_everybody_has_is_nobody_s() {
        for text in [
            "0.0.0.0/0",
            "0.0.0.255",
            "127.0.0.1",
            "255.255.0.0",
            "240.0.0.1",
            "8.8.8.8",
            "224.0.0.251",
            "ff02::1",
            "bf16::E",
            "bf16::e",
            "5508::5d47",
            "1001:1002:1003:1004:1005:1006:1007:1008",
            "2006::",
            "2606:4700:4700::1111",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
        assert_eq!(found("169.254.6.2 10.0.0.7/16 52.94.5.1"), ["169.254.6.2", "10.0.0.7/16", "52.94.5.1"]);
    }

    #[test]
    fn addresses_behind_codes_and_escapes() {
        for address in ["10.24.7.31", "54.1.2.3", "2600:1f18:22ab::1", "10.24.7.0/24"] {
            for before in
                ["%20", "%2F", "%0A", "%2c", "\\n", "\\u00e9", "\\x84", "\x1b[31m", "node/", "=", ":", "_", "가"]
            {
                if address.contains("::") && before == ":" {
                    continue;
                }
                for behind in ["", "%20", "\\n", "가", "_", " "] {
                    assert_eq!(found(&format!("{before}{address}{behind}")), [address], "{before}{address}{behind}");
                }
            }
        }
        assert_eq!(found("IP 10.24.7.31.443 > 54.1.2.3.51234: Flags [S]"), ["10.24.7.31", "54.1.2.3"]);
        for version in [
            "Chrome/120.0.0.0",
            "openresty/1.21.4.1",
            "version 54.1.2.3",
            "1.3.6.1.4.1: x",
            "x20.0.0.1",
            "nginx 1.25.3.2 is out",
            "package==1.2.3.4",
            "log4j-1.2.17.1.jar",
            "foo (1.2.3.4-1) unstable",
            "AssemblyVersion(\"4.3.2.1\")",
            "ObjectIdentifier(\"2.5.4.16\")",
            "bump the OpenResty version to `1.11.2.1`",
            "Bumped OpenResty from 1.21.4.2 to 1.25.3.1",
            "RFC 5280 § 4.2.1.3",
            "upgraded from 2.1.0.4 to 2.1.0.5",
            "Git 1.7.12.4 is out",
            "Fixes since 1.5.5.5",
            "1.8.1.4 Release Notes",
            "xorg-server_1.3.99.0~git20070321",
            "$Id: kernelcapi.h,v 1.8.6.2 2001/02/07 11:31:31 kai Exp $",
        ] {
            assert!(found(version).is_empty(), "{version}");
        }
        for address in ["nginx 10.1.25.3 is down", "moved from 3.5.1.2", "foo-10.1.2.3", "(3.5.1.2)", "ip==\"3.5.1.2\""]
        {
            assert_eq!(found(address).len(), 1, "{address}");
        }
        // Much of AWS begins with 3.
        for address in [
            "we upgraded it and moved the traffic from 3.80.12.7",
            "nginx 3.80.12.7 is down",
            "bastion-3.80.12.7",
            "protocol version (10.0.3.7)",
        ] {
            assert_eq!(found(address).len(), 1, "{address}");
        }
    }

    #[test]
    fn addresses_of_nobody_count_where_a_text_speaks_of_aws() {
        let manual = "Write addresses as in the examples. ".repeat(400);
        let middle = manual.len() / 2;
        let with = |word: &str, at: usize| {
            let mut text = manual.clone();
            text.insert_str(middle, " 203.0.113.7 2001:db8:22ab::1 1.3.6.1 10.24.7.31 54.1.2.3 2600:1f18:22ab::1 ");
            text.insert_str(at, word);
            found(&text).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let somebody_s = ["10.24.7.31", "54.1.2.3", "2600:1f18:22ab::1"];
        let nobody_s = ["203.0.113.7", "2001:db8:22ab::1", "1.3.6.1"];
        assert_eq!(with("", 0), somebody_s);
        assert_eq!(with(" EC2 ", 0), somebody_s);
        assert_eq!(with(" of an EC2 instance ", middle), [nobody_s, somebody_s].concat());
        // So does what no version has around it.
        assert_eq!(
            with(" host=3.5.1.2 @4.4.3.9 http://5.6.7.8/ 4.2.1.9:8080 3.5.1.0/24 ", middle)[..5],
            ["3.5.1.2", "4.4.3.9", "5.6.7.8", "4.2.1.9", "3.5.1.0/24",]
        );
        assert_eq!(with(" since 1.7.3.1, (4.2.1.3) \n8.1.6.2 Things\n C11 7.2.6.2/10 v5.4.3.1 ", middle), somebody_s);
        // An identifier says it for the whole text.
        assert_eq!(
            with(" vpc-04d1c7e92ab86f035 ", 0),
            [&["vpc-04d1c7e92ab86f035"][..], &nobody_s, &somebody_s].concat()
        );
    }

    #[test]
    fn sections_and_versions_in_long_texts() {
        let manual = "Write addresses as in the examples. ".repeat(400);
        for number in [
            "// 27.8.3.2 Assign and swap",
            "// [22.2.1.5]",
            "C++14 20.10.4.1,",
            "/// 5.2.1.10 Bessel",
            "802.11-2016 9.4.2.168",
            "/* 8.4.26.1 */",
            "XFree86 4.3.99.16",
            "3.23.91.1",
            "30.3.3.3 aMACControl",
        ] {
            assert!(found(&format!("{manual}{number} {manual}")).is_empty(), "{number}");
            assert_eq!(found(number).len(), 1, "{number}");
            assert_eq!(found(&format!("{manual}On AWS: {number} {manual}")).len(), 1, "{number}");
        }
        for address in [
            "3.80.12.77",
            "54.1.2.3",
            "13.24.1.7",
            "18.3.0.7",
            "5.9.3.1 - - [10/Oct/2000:13:55:36 -0700]",
            "5.9.3.1 - frank [10/Oct/2000:13:55:36 -0700]",
            "X-Forwarded-For: 5.9.3.1",
            "\"publicIp\": \"5.9.3.1\"",
            "\"sourceIPAddress\": \"5.9.3.1\"",
            "remote_addr=5.9.3.1",
            "(host: 5.9.3.1)",
        ] {
            assert_eq!(found(&format!("{manual}\n{address} {manual}")).len(), 1, "{address}");
        }
    }

    #[test]
    fn what_all_software_has_vouches_for_no_address() {
        let manual = "Write addresses as in the examples. ".repeat(400);
        let parts = |other: &str| {
            let text = format!("{other}\n{manual}\n7.6.3.1 203.0.113.7\n{manual}");
            found(&text).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        for (other, part) in [
            ("password: 'Tr0ub4dor&3'", "Tr0ub4dor&3"),
            ("postgres://app:Tr0ub4dor3@db/shop", "Tr0ub4dor3"),
            ("the bucket acme-logs is public", "acme-logs"),
        ] {
            assert!(parts(other).contains(&part.to_owned()), "{other}");
            assert!(!parts(other).iter().any(|part| part.contains("7.6.3.1") || part.contains("203.0")), "{other}");
        }
        for other in [
            "arn:aws:s3:::acme-logs",
            "{\"Bucket\": \"acme-logs\"}",
            "AKIAIOSFODNN7EXAMPLE",
            "the S3 bucket acme-logs is public",
            "the bucket acme-logs is public, vpc-04d1c7e92ab86f035",
        ] {
            assert_eq!(parts(other)[parts(other).len() - 2..], ["7.6.3.1", "203.0.113.7"], "{other}");
        }
    }

    #[test]
    fn words_before_numbers_of_standards_stand_before_addresses_too() {
        for text in ["- item 10.40.1.225 is down", "control 10.40.1.225", "req 34.201.7.19", "clause 54.12.3.9"] {
            assert_eq!(found(text).len(), 1, "{text}");
        }
        assert_eq!(found("control 3.5.1.2 of PCI"), [""; 0]);
    }

    #[test]
    fn networks_that_are_too_large_for_anybody() {
        for network in ["fe80::/10", "2002::/16", "2000::/3", "50.0.0.0/0", "128.0.0.0/1"] {
            assert!(found(network).is_empty(), "{network}");
        }
        for network in ["10.0.0.0/8", "2600:1f18::/32", "2600:1f18:22ab::/56", "fd00:ec2::254/16", "10.1.0.0/7"] {
            assert_eq!(found(network), [network]);
        }
    }
}
