yapp_id: a
key_files:
  - kid: k1
    path: k1.pem
  - {kid: k2, path: k2.pem}
accepted_audiences: [jitsi]
claim_rules:
  - path: realm_access.roles
    op: has
    value: [host, teacher]
    then: grant
  - {path: ["a.b"], op: is, value: true, then: deny}
