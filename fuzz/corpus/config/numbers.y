yname_max: 0x10
leeway: 1.5
max_token_bytes: 1e3
require_exp: Yes
lobby: off
