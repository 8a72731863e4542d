//! `GET /api/v1/openapi.json` and `/api/v1/docs`: the committed contract is what the handlers say.

use std::{collections::BTreeSet, path::PathBuf};

use serde_json::Value;

use crate::stage::Stage;

/// Where the contract is committed.
fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json")
}

fn text() -> String {
    gateway::openapi().to_pretty_json().unwrap() + "\n"
}

#[test]
fn the_committed_contract_is_what_the_handlers_say() {
    let committed = std::fs::read_to_string(file()).unwrap_or_default();
    assert!(committed == text(), "docs/openapi.json is not what the handlers say: run `make codegen`");
}

/// `make codegen` runs this one.
#[test]
#[ignore = "writes docs/openapi.json"]
fn write_openapi() {
    std::fs::write(file(), text()).unwrap();
}

/// Every operation of the contract, with its path and method.
fn operations(api: &Value) -> Vec<(String, String, Value)> {
    let paths = api["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &Value)| {
        let item = item.as_object().unwrap().clone();
        let path = path.clone();
        item.into_iter().map(move |(method, operation)| (path.clone(), method, operation)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

#[test]
fn every_operation_says_what_it_does_and_what_it_answers() {
    let api: Value = serde_json::from_str(&text()).unwrap();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&api) {
        let name = format!("{method} {path}");
        assert!(path.starts_with("/api/v1/"), "{name}");
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.ends_with('.')), "{name} has no summary");
        assert!(operation["tags"][0].is_string(), "{name} has no tag");
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{name}: its id is another's");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.contains_key("429"), "{name}");
        for (status, response) in responses {
            assert!(!response["description"].as_str().unwrap().is_empty(), "{name} {status}");
            // What is to be paid is told as x402 wants it, whose clients read nothing else.
            if status.starts_with('4') && status != "402" {
                let kind = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(kind, "#/components/schemas/Problem", "{name} {status}");
            }
        }
        let named = path.matches('{').count();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        assert_eq!(parameters.iter().filter(|parameter| parameter["in"] == "path").count(), named, "{name}");
        for parameter in &parameters {
            assert!(parameter["description"].is_string(), "{name}: {parameter}");
            if parameter["name"] == "limit" {
                assert_eq!(
                    (&parameter["schema"]["minimum"], &parameter["schema"]["maximum"].is_u64()),
                    (&1.into(), &true),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let api: Value = serde_json::from_str(&text()).unwrap();
    let mut found = BTreeSet::new();
    references(&api, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(api.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn the_contract_and_its_page_are_served_and_load_nothing_from_elsewhere() {
    let stage = Stage::new(|_| ()).await;
    let served: Value = stage.get("/api/v1/openapi.json").await.json();
    assert_eq!(served, serde_json::from_str::<Value>(&text()).unwrap());

    let answer = stage.http().get(stage.url("/api/docs/")).send().await.unwrap();
    let headers = answer.headers().clone();
    assert_eq!(
        (&headers["x-content-type-options"], &headers["referrer-policy"]),
        (&"nosniff".parse().unwrap(), &"no-referrer".parse().unwrap())
    );
    let policy = headers["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let page = answer.text().await.unwrap();
    let nonce = page.split("<script nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(policy.contains(&format!("script-src 'nonce-{nonce}'")) && nonce.len() == 32, "{policy} {nonce}");
    for elsewhere in ["http://", "https://", "src=", "@import", "{{"] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    let again = stage.http().get(stage.url("/api/v1/docs")).send().await.unwrap().text().await.unwrap();
    assert!(!again.contains(&nonce), "a nonce is good once");
}
