yissuers:
  - iss: a
    app_secret: 0123456789abcdef0123456789abcdef
  - iss: b
    jwks: https://b/jwks
    algs: [ES256]
profile: jitsi
