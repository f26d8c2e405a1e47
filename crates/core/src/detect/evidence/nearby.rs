//! Identifiers that nobody takes for anything else. Where one stands nearby, the text is about somebody's AWS, and a
//! compound behind a noun is hardly anything but a name: `the alarm ses-bounces was muted`.

use crate::catalog::{Catalog, Category, Kind, KindId};
use crate::detect::evidence::told::ANY_SERVICE;
use crate::detect::{Hits, Scan};

/// The hint of phrases that mean something nowhere else.
pub(in crate::detect) const IDENTIFIER: &str = "identifier";
/// How far that is, bytes.
const NEAR: usize = 4096;
/// Kinds of what all software has.
const OF_ANYBODY: &[&str] = &[
    "cred:api-key",
    "cred:auth-token",
    "cred:jwt",
    "cred:oauth-secret",
    "cred:password",
    "cred:private-key",
    "cred:url-password",
    "name:database",
    "name:db-user",
];

impl Hits {
    /// True when an identifier that is sure was found.
    pub(in crate::detect) fn has_sure(&self, catalog: &Catalog) -> bool {
        self.findings.iter().any(|finding| is_sure(catalog, finding.kind))
    }
}

impl Scan<'_, '_> {
    /// True where an identifier that is sure stands near `at`.
    pub(in crate::detect) fn has_identifier(&mut self, at: usize) -> bool {
        let identifiers = self.identifiers();
        let next = identifiers.partition_point(|&start| start + NEAR < at);
        identifiers.get(next).is_some_and(|&start| start <= at + NEAR)
    }

    /// True where one stands anywhere in the text.
    pub(in crate::detect) fn has_any_identifier(&mut self) -> bool {
        self.beside.an_identifier || !self.identifiers().is_empty()
    }

    /// True where the text speaks of AWS near `at`, or has an identifier that is sure.
    pub(in crate::detect) fn is_about_aws(&mut self, at: usize) -> bool {
        self.has_any_identifier() || self.speaks_of(ANY_SERVICE, at) || self.speaks_of("aws", at)
    }

    /// Counts the findings from `first` on, names that prose gives something at `at`, as such that say nothing about
    /// addresses elsewhere, unless the prose is about AWS.
    pub(in crate::detect) fn hearsay(&mut self, at: usize, first: usize) {
        // Only addresses ask for it.
        if (self.beside.others || !self.hits.addresses.is_empty()) && !self.is_about_aws(at) {
            let vouching = self.hits.findings[first..].iter().filter(|f| vouches(self.detector.catalog, f.kind));
            self.hits.hearsay.extend(vouching.map(|finding| finding.span.start));
        }
    }

    fn identifiers(&mut self) -> &[usize] {
        self.identifiers.get_or_insert_with(|| {
            let sure = self.hits.findings.iter().filter(|finding| is_sure(self.detector.catalog, finding.kind));
            let mut starts = Vec::with_capacity(self.hits.findings.len());
            starts.extend(sure.map(|finding| finding.span.start));
            starts.sort_unstable();
            starts
        })
    }
}

/// Whether what is of this kind is hardly ever anything else. A name that a key, an ARN or a URL announces is sure, too.
pub(in crate::detect) fn is_sure(catalog: &Catalog, kind: KindId) -> bool {
    use Category::{Accounts, Arns, Hosts, Ids, Names};
    let known = &catalog.known;
    let is_of_aws = |kind: &Kind| matches!(kind.category, Ids | Arns | Hosts | Accounts | Names);
    kind != known.resource_id
        && kind != known.uuid
        && vouches(catalog, kind)
        && (kind == known.access_key_id || catalog.kind(kind).is_some_and(is_of_aws))
}

/// Whether what is of this kind tells that a text is about somebody's AWS, so that addresses in it are somebody's, too.
pub(in crate::detect) fn vouches(catalog: &Catalog, kind: KindId) -> bool {
    let is_anybodys = |kind: &Kind| kind.category == Category::Addresses || OF_ANYBODY.contains(&kind.name);
    !catalog.kind(kind).is_some_and(is_anybodys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::parts;

    #[test]
    fn what_says_nothing_elsewhere_is_a_name_beside_an_identifier() {
        for (text, name) in [
            ("Our Lambda acme-renderer started timing out", "acme-renderer"),
            ("it writes to the table AcmeState too", "AcmeState"),
            ("I gave the role AcmePlatformWriter full access", "AcmePlatformWriter"),
            ("the role *acme-crr* lost `kms:Encrypt`", "acme-crr"),
            ("ALB acme-edge target group has none", "acme-edge"),
            ("asg acme-checkout says desired 4", "acme-checkout"),
            ("DLQ acme-mail redriven", "acme-mail"),
            ("remove the inline policy acme-deny then", "acme-deny"),
            ("The source instance acme-main has backups", "acme-main"),
            ("the alarm acme-bounces muted", "acme-bounces"),
            ("a workgroup acme-analysts here", "acme-analysts"),
            ("la pila acme-red se quedó", "acme-red"),
            ("la cola acme-facturas falla", "acme-facturas"),
            ("Le rôle acme-lambda n'arrive pas", "acme-lambda"),
            ("Zielgruppe acme-blau hat keine", "acme-blau"),
            ("die Datenbank acme_rohdaten liegt", "acme_rohdaten"),
            ("パラメータグループは「acme-tuned」です", "acme-tuned"),
            ("グループ「acme-bu」に", "acme-bu"),
            ("키페어 acme-bastion 입니다", "acme-bastion"),
            ("역할은 AcmeRunnerInstance이고", "AcmeRunnerInstance"),
        ] {
            let beside = format!("In vpc-0ab12cd34ef56ab78: {text}");
            assert_eq!(parts(&beside), ["vpc-0ab12cd34ef56ab78", name], "{text}");
            let far = format!("{}{text}", beside.replace(text, &"x ".repeat(NEAR)));
            let alone = parts(text);
            assert_eq!(parts(&far), [&["vpc-0ab12cd34ef56ab78"][..], &alone].concat(), "{text}");
        }
        // Every database has users.
        let of_anybody = parts("url = redis://johndoe:Tr0ub4dor-3xKq@cache/2 # hash table work_mem");
        assert_eq!(of_anybody, ["johndoe", "Tr0ub4dor-3xKq"]);
        for text in ["the function cold-start time", "the table state-of-the-art design", "a role that is fine-grained"]
        {
            assert_eq!(parts(&format!("In vpc-0ab12cd34ef56ab78: {text}")), ["vpc-0ab12cd34ef56ab78"], "{text}");
        }
    }
}
