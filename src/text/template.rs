//! Strings of a runbook that may name values: `{{ inputs.release }}`, and conditions over the same values.

use minijinja::{Environment, UndefinedBehavior};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A template as the runbook writes it. Rendered with strict undefined values; linted when loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Template(pub String);

/// Steps after which a template is stopped: a runbook is data, not a program.
const FUEL: u64 = 10_000;

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment
}

fn context(values: &Value) -> Result<minijinja::Value, String> {
    serde_json::from_value(values.clone()).map_err(|error| error.to_string())
}

/// Fills a template in.
///
/// # Errors
/// What is undefined or not understood, in words.
pub fn render(template: &Template, values: &Value) -> Result<String, String> {
    environment().render_str(&template.0, context(values)?).map_err(|error| error.to_string())
}

/// Decides a condition, an expression that must be true or false.
///
/// # Errors
/// What is undefined, not understood, or not a yes or no.
pub fn condition(expression: &str, values: &Value) -> Result<bool, String> {
    let environment = environment();
    let compiled = environment.compile_expression(expression).map_err(|error| error.to_string())?;
    let value = compiled.eval(context(values)?).map_err(|error| error.to_string())?;
    bool::try_from(value).map_err(|_| format!("{expression} is neither true nor false"))
}

/// Names that a template uses, as `inputs.release`.
///
/// # Errors
/// What is not understood, in words.
pub fn names(template: &str) -> Result<Vec<String>, String> {
    let environment = environment();
    let parsed = environment.template_from_str(template).map_err(|error| error.to_string())?;
    let mut names: Vec<String> = parsed.undeclared_variables(true).into_iter().collect();
    names.sort();
    Ok(names)
}

/// Names that a condition uses.
///
/// # Errors
/// What is not understood, in words.
pub fn names_of_condition(expression: &str) -> Result<Vec<String>, String> {
    let environment = environment();
    let compiled = environment.compile_expression(expression).map_err(|error| error.to_string())?;
    let mut names: Vec<String> = compiled.undeclared_variables(true).into_iter().collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn undefined_is_an_error() {
        let values = json!({"inputs": {"a": "x", "way": "pod"}});
        assert_eq!(render(&Template("{{ inputs.a }}-r".into()), &values), Ok("x-r".into()));
        assert!(render(&Template("{{ inputs.b }}".into()), &values).is_err());
        assert_eq!(condition("inputs.way == 'pod'", &values), Ok(true));
        assert!(condition("inputs.b", &values).is_err());
        assert!(condition("inputs.way", &values).is_err());
        assert!(render(&Template("{% for i in range(100000) %}x{% endfor %}".into()), &values).is_err());
        assert_eq!(
            names("{{ inputs.a }}{{ target.namespace }}"),
            Ok(vec!["inputs.a".into(), "target.namespace".into()])
        );
    }
}
