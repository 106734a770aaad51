yissuers: [~]
claim_rules: [~, null]
