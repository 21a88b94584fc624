//! The formats of secrets that say what they are: a prefix that nothing else has, and what follows it. Each with where it is
//! documented. Ids that only name a credential (AWS's `AKIA...`, an Okta object's id) are no secrets and are not here.
//!
//! Least lengths lie below the documented ones: a token that was cut on its way opens nothing, but most of it is nobody's to read.

/// What a secret may be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// Letters and digits.
    Alnum,
    /// These and `_`.
    Word,
    /// These and `-`.
    Dash,
    /// These and `.`.
    Dot,
    /// Letters, digits and `/`.
    Path,
}

impl Made {
    pub(super) fn takes(self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
            || match self {
                Made::Alnum => false,
                Made::Word => byte == b'_',
                Made::Dash => matches!(byte, b'_' | b'-'),
                Made::Dot => matches!(byte, b'_' | b'-' | b'.'),
                Made::Path => byte == b'/',
            }
    }
}

/// One prefix and what follows it.
#[derive(Debug)]
pub(super) struct Format {
    /// As it stands in the text in the secret's place.
    pub(super) form: &'static str,
    pub(super) prefix: &'static str,
    pub(super) made: Made,
    /// So many follow at least.
    pub(super) least: usize,
    /// The prefix is short or a common run of letters: no letter or digit may stand before it.
    pub(super) alone: bool,
}

const fn format(form: &'static str, prefix: &'static str, made: Made, least: usize, alone: bool) -> Format {
    Format { form, prefix, made, least, alone }
}

/// The source of each format: the vendor's page, or the rule of gitleaks (github.com/gitleaks/gitleaks, config/gitleaks.toml).
pub(super) const FORMATS: &[Format] = &[
    // docs.github.com, "About authentication to GitHub", token formats.
    format("github-token", "ghp_", Made::Word, 20, false),
    format("github-token", "gho_", Made::Word, 20, false),
    format("github-token", "ghu_", Made::Word, 20, false),
    format("github-token", "ghs_", Made::Word, 20, false),
    format("github-token", "ghr_", Made::Word, 20, false),
    format("github-token", "github_pat_", Made::Word, 20, false),
    // docs.gitlab.com, "GitLab token overview", token prefixes.
    format("gitlab-token", "glpat-", Made::Dot, 16, false),
    format("gitlab-token", "gldt-", Made::Dash, 16, true),
    format("gitlab-token", "glrt-", Made::Dot, 16, true),
    format("gitlab-token", "glptt-", Made::Dash, 16, true),
    format("gitlab-token", "glcbt-", Made::Dash, 16, true),
    format("gitlab-token", "glsoat-", Made::Dash, 16, true),
    format("gitlab-token", "gloas-", Made::Dash, 16, true),
    format("gitlab-token", "glagent-", Made::Dash, 16, true),
    // docs.slack.dev, "Tokens"; webhooks: "Sending messages using incoming webhooks", keep the URL secret.
    format("slack-token", "xoxb-", Made::Dash, 10, true),
    format("slack-token", "xoxp-", Made::Dash, 10, true),
    format("slack-token", "xoxa-", Made::Dash, 10, true),
    format("slack-token", "xoxr-", Made::Dash, 10, true),
    format("slack-token", "xoxs-", Made::Dash, 10, true),
    format("slack-token", "xoxe-", Made::Dash, 10, true),
    format("slack-token", "xoxe.", Made::Dash, 10, true),
    format("slack-token", "xapp-1-", Made::Dash, 10, true),
    format("slack-webhook", "hooks.slack.com/services/", Made::Path, 20, false),
    // docs.stripe.com, "API keys".
    format("stripe-key", "sk_live_", Made::Alnum, 10, true),
    format("stripe-key", "rk_live_", Made::Alnum, 10, true),
    format("stripe-key", "sk_test_", Made::Alnum, 10, true),
    format("stripe-key", "rk_test_", Made::Alnum, 10, true),
    // gitleaks `gcp-api-key`; developers.google.com, "Using OAuth 2.0".
    format("google-key", "AIza", Made::Dash, 30, true),
    format("google-secret", "GOCSPX-", Made::Dash, 20, true),
    format("google-token", "ya29.", Made::Dash, 20, true),
    // developer.hashicorp.com/vault, "Tokens", token prefixes; batch tokens of old begin with what their form encodes to.
    format("vault-token", "hvs.", Made::Dot, 20, true),
    format("vault-token", "hvb.", Made::Dot, 20, true),
    format("vault-token", "hvr.", Made::Dot, 20, true),
    format("vault-token", "b.AAAAAQ", Made::Dash, 20, true),
    // docs.npmjs.com, "About access tokens"; gitleaks `npm-access-token`.
    format("npm-token", "npm_", Made::Alnum, 30, true),
    // docs.pypi.org, API tokens: a macaroon of pypi.org.
    format("pypi-token", "pypi-AgE", Made::Dash, 30, true),
    // Atlassian's API tokens; gitleaks `atlassian-api-token`.
    format("atlassian-token", "ATATT3", Made::Dash, 60, true),
    // gitleaks `anthropic-api-key`, `openai-api-key`.
    format("model-key", "sk-ant-", Made::Dash, 20, true),
    format("model-key", "sk-proj-", Made::Dash, 20, true),
    // gitleaks `digitalocean-pat`, `huggingface-access-token`, `grafana-service-account-token`, `shopify-access-token`.
    format("digitalocean-token", "dop_v1_", Made::Alnum, 30, true),
    format("huggingface-token", "hf_", Made::Alnum, 30, true),
    format("grafana-token", "glsa_", Made::Word, 30, true),
    format("shopify-token", "shpat_", Made::Alnum, 20, true),
    // docs.docker.com, "Personal access tokens".
    format("docker-token", "dckr_pat_", Made::Dash, 20, true),
];

/// Forms that no prefix alone tells: see shapes.rs and assigned.rs.
pub(super) const OTHERS: &[&str] = &[
    "sendgrid-key",
    "vault-token",
    "okta-token",
    "azure-secret",
    "jwt",
    "private-key",
    "url-password",
    "authorization",
    "password",
    "secret",
];
