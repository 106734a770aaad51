yauth: maybe
app_id: 5
leeway: 5x
max_token_bytes: -1
require_exp: "yes"
profile: stric
algs: [HS255, none, RS256]
accepted_issuers: a
accepted_audiences: [1]
claim_paths: ["a..b"]
name_paths: ["a.b.c.d.e.f.g.h.i"]
domain: "a b"
public_url: ftp://x
key_server: "https://[::1"
token_auth_url: "https://user@host:99999/"
bind: ["localhost", "::1", "1.2.3"]
http_port: 70000
name_max: 1000000000000000000000
clash_suffix: "\u202e"
moderated_rooms: {}
identity_fields: [id, odd]
stun_servers: ["stun:a:b", "http://x"]
end_after: 2h
idle_timeout: 1d
ping_interval: 5m
login_timeout: -5s
log_level: loud
lobby: ~
state_directory: ""
web_folder: [a]
issuers: {}
claim_rules: x
key_files: [1]
