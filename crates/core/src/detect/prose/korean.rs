//! Headings of columns in Korean: `버킷 이름`, `계정 ID`, `RDS 인스턴스 이름`. The words are those of running text.

use crate::catalog::{Follows, Match, Member, Phrase, ValueShape};
use crate::detect::Scan;
use crate::detect::layout::table::{MAX_HEADING, bar_len};
use crate::detect::text::boundary::run_end;

/// What may follow the word for a thing in a heading. Longer ones come first.
const ENDINGS: &[&str] = &[
    " 아이디",
    " 식별자",
    " 이름",
    " 번호",
    "아이디",
    "식별자",
    "이름",
    "번호",
    " ID",
    " id",
    " 명",
    "ID",
    "명",
    "名",
    "",
];
/// What these begin with, and a border that is not ASCII.
const STARTS: &[&str] = &["아", "식", "이", "번", "명", "名", "│"];
/// A word that nothing but AWS has.
const BUCKET: &str = "버킷";

impl Scan<'_, '_> {
    /// Looks at the line of a word in Korean that ends at `end`, when a border between columns stands behind it.
    // Away from the loop over all words, which has few registers to spare.
    #[inline(never)]
    pub(in crate::detect) fn korean_heading(&mut self, end: usize) {
        let text = self.text;
        if !may_end_heading(text, end) {
            return;
        }
        let ending = ENDINGS.iter().find(|ending| text[end..].starts_with(ending.as_bytes())).map_or(0, |e| e.len());
        let word = end + ending;
        let at = run_end(text, word, MAX_HEADING, |c| matches!(c, b' ' | b'"' | b'*' | b'`' | b'\\'));
        let is_border = match text.get(at) {
            Some(b'|' | b',' | b';' | b'\t' | b'\r' | b'\n') => true,
            Some(b'n' | b'r' | b't') => text[at - 1] == b'\\',
            Some(_) => bar_len(text, at) > 0 || text[word..at].starts_with(b"  "),
            None => false,
        };
        if is_border {
            self.table_around(end);
        }
    }

    /// What a heading in Korean means.
    pub(in crate::detect) fn meanings_of_korean(&self, heading: &[u8]) -> Vec<Member> {
        let phrases = &self.detector.catalog.phrases;
        let begins_word = |&at: &usize| at == 0 || heading[at - 1] == b' ';
        let phrase = (0..heading.len()).filter(begins_word).find_map(|at| {
            let phrase = phrases.at(&heading[at..]).filter(|phrase| !phrase.words.is_ascii())?;
            let rest = &heading[at + phrase.words.len()..];
            ENDINGS.iter().any(|ending| ending.as_bytes() == rest).then_some(phrase)
        });
        phrase.map_or_else(Vec::new, meanings)
    }
}

/// False for most words that end at `at`: a particle or another word follows.
fn may_end_heading(text: &[u8], at: usize) -> bool {
    let may_follow = |at: usize| match text.get(at..at + 3) {
        Some([c, ..]) if c.is_ascii() => b" Ii\"*`\\|,;\t\r\n".contains(c),
        Some(syllable) => STARTS.iter().any(|start| start.as_bytes() == syllable),
        None => true,
    };
    may_follow(at) && (text.get(at) != Some(&b' ') || may_follow(at + 1))
}

/// What the word for a thing means above a column. Users and services are not AWS's alone: names that are ordinary words
/// need something that speaks of it.
fn meanings(phrase: &Phrase) -> Vec<Member> {
    let member = |value, hint| Member { kind: phrase.kind, matches: Match::Exact, value, hint };
    match phrase.follows {
        Follows::Name if phrase.words.ends_with(BUCKET) => vec![member(ValueShape::Name, None)],
        Follows::Name | Follows::Function => {
            vec![member(ValueShape::Name, Some("aws")), member(ValueShape::OwnName, None)]
        }
        Follows::Spoken => vec![member(ValueShape::Password, None)],
        Follows::Id(shape) => vec![member(shape, None)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::{in_json, parts};

    #[test]
    fn tables_with_headings_in_korean() {
        for (table, cells) in [
            (
                "| 버킷 이름 | 리전 |\n|---|---|\n| acmelogs | 서울 |\n| `acmedata` | 도쿄 |\n",
                &["acmelogs", "acmedata"][..],
            ),
            ("리전,S3 버킷\n서울,acmelogs\n", &["acmelogs"]),
            ("버킷명\t크기\nacmelogs\t3\n", &["acmelogs"]),
            ("\"버킷 이름\",\"리전\"\n\"acmelogs\",\"서울\"\n", &["acmelogs"]),
            ("┌───┬───┐\n│ 버킷 │ 크기 │\n├───┼───┤\n│ acmelogs │ 3 │\n└───┴───┘\n", &["acmelogs"]),
            ("이름;계정 ID\n개발;618734209955\n운영;618734209956\n", &["618734209955", "618734209956"]),
            ("RDS 인스턴스 이름,엔진\nacme-orders,mysql\n", &["acme-orders"]),
            ("DB 식별자,클러스터 식별자\nacme-orders,acme-cl\n", &["acme-orders", "acme-cl"]),
            ("AWS 정리입니다.\n사용자,역할\nbob,deployer\n", &["bob", "deployer"]),
            ("사용자,비밀번호\nbob-2,Xy7!kq_Zpw2\n", &["bob-2", "Xy7!kq_Zpw2"]),
        ] {
            let long = "아무것도 없습니다. 그리고 또, 없습니다.\n".repeat(60);
            for text in [table.to_owned(), format!("{long}\n{table}\n끝"), format!("{table}\n{long}")] {
                assert_eq!(parts(&text), cells, "{text}");
                assert_eq!(parts(&in_json(&text)), cells, "{text} in JSON");
                assert_eq!(parts(&in_json(&in_json(&text))), cells, "{text} in JSON in JSON");
            }
        }
    }

    #[test]
    fn other_tables_and_lines_in_korean() {
        for text in [
            "사용자,부서\nbob,dev\n",
            "| 서비스 | 설명 |\n|---|---|\n| nginx | 웹 |\n",
            "버킷, 역할\n",
            "버킷,역할\n\nacmelogs,deployer\n",
            "버킷을 만들고, 역할\nacmelogs, deployer\n",
            "버킷 정책,리전\nacmelogs,서울\n",
            "계정 이름,번호\n개발,618734209955\n",
        ] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
    }
}
