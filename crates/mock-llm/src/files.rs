//! Files of both vendors: uploads in multipart forms, what is said of them, and their contents.

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::Serialize;

use crate::json::Json;
use crate::kept::Kept;
use crate::openai::now;

/// One part of a form.
#[derive(Debug, PartialEq, Eq)]
struct Field<'b> {
    name: String,
    filename: Option<String>,
    content_type: String,
    content: &'b [u8],
}

#[derive(Serialize)]
struct AnthropicFile<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    filename: &'a str,
    mime_type: &'a str,
    size_bytes: usize,
    created_at: &'static str,
    downloadable: bool,
}

#[derive(Serialize)]
struct OpenAiFile<'a> {
    id: &'a str,
    object: &'static str,
    bytes: usize,
    created_at: u64,
    expires_at: Option<u64>,
    filename: &'a str,
    purpose: &'a str,
    status: &'static str,
}

/// Whether a request for `/v1/files` means Anthropic's: both vendors have that path.
pub(crate) fn is_anthropic(headers: &HeaderMap) -> bool {
    headers.contains_key("anthropic-version")
}

/// Takes an upload in and keeps the file; gives what is said of it.
///
/// # Errors
/// The text of the API's error. It quotes nothing of the request.
pub(crate) fn upload(kept: &Kept, headers: &HeaderMap, body: &[u8], json: Json, seq: u64) -> Result<String, String> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let fields = fields(content_type, body).ok_or("The request body is not a multipart form.")?;
    let file = fields.iter().find(|field| field.name == "file").ok_or("'file' is a required property")?;
    let purpose =
        fields.iter().find(|field| field.name == "purpose").map(|field| String::from_utf8_lossy(field.content));
    let filename = file.filename.as_deref().unwrap_or("upload");
    let (id, document) = if is_anthropic(headers) {
        let id = format!("file_mock{seq:08}");
        let document = json.text(&AnthropicFile {
            id: &id,
            kind: "file",
            filename,
            mime_type: &file.content_type,
            size_bytes: file.content.len(),
            created_at: "2026-01-01T00:00:00Z",
            downloadable: true,
        });
        (id, document)
    } else {
        let id = format!("file-mock{seq:08}");
        let document = json.text(&OpenAiFile {
            id: &id,
            object: "file",
            bytes: file.content.len(),
            created_at: now(),
            expires_at: None,
            filename,
            purpose: purpose.as_deref().ok_or("'purpose' is a required property")?,
            status: "processed",
        });
        (id, document)
    };
    let path = format!("/v1/files/{id}");
    kept.put(format!("{path}/content"), "application/octet-stream", Bytes::copy_from_slice(file.content));
    kept.put(path, "application/json", Bytes::from(document.clone()));
    Ok(document)
}

/// The parts of a form as SDKs write them: CR LF after each line, `--` after the last delimiter.
fn fields<'b>(content_type: &str, body: &'b [u8]) -> Option<Vec<Field<'b>>> {
    let boundary = content_type.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?.trim_matches('"');
    let delimiter = format!("--{boundary}");
    let mut rest = body.strip_prefix(delimiter.as_bytes())?;
    let delimiter = format!("\r\n{delimiter}");
    let mut fields = Vec::new();
    while !rest.starts_with(b"--") {
        rest = rest.strip_prefix(b"\r\n")?;
        let end = position(rest, delimiter.as_bytes())?;
        fields.push(field(&rest[..end])?);
        rest = &rest[end + delimiter.len()..];
    }
    Some(fields)
}

fn field(part: &[u8]) -> Option<Field<'_>> {
    let end = position(part, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&part[..end]).into_owned();
    let header = |wanted: &str| {
        head.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    let disposition = header("content-disposition")?;
    let parameter = |wanted: &str| {
        disposition.split(';').find_map(|part| {
            let value = part.trim().strip_prefix(wanted)?.strip_prefix('=')?;
            Some(value.trim_matches('"').to_owned())
        })
    };
    Some(Field {
        name: parameter("name")?,
        filename: parameter("filename"),
        content_type: header("content-type").unwrap_or_else(|| "text/plain".to_owned()),
        content: &part[end + 4..],
    })
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_forms() {
        let body = b"--B\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--B\r\n\
            content-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/x\r\n\r\n--\r\n\r\n--B--\r\n";
        let fields = fields("multipart/form-data; boundary=B", body).unwrap();
        assert_eq!((fields[0].name.as_str(), fields[0].content), ("purpose", &b"batch"[..]));
        assert_eq!(fields[1].filename.as_deref(), Some("a.txt"));
        assert_eq!((fields[1].content_type.as_str(), fields[1].content), ("text/x", &b"--\r\n"[..]));
        assert!(super::fields("multipart/form-data; boundary=B", &body[..body.len() - 10]).is_none());
    }
}
