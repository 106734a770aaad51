eENABLE_AUTH=1
AUTH_TYPE=jwt
JWT_APP_ID=a
JWT_APP_SECRET=0123456789abcdef0123456789abcdef
XMPP_CONFIGURATION="app_id = 'b', asap_accepted_issuers = { 'x'; 'y' }, asap_require_room_claim = false, odd_option = 5, allow_empty_token = true, muc_lobby_whitelist = { 'recorder.meet.jitsi', 'meet.jitsi' }"
GLOBAL_CONFIG="token_verification_require_token_for_moderation = false\nsignature_algorithm = 'ES256'\n-- comment\nparty_check_timeout = 30; wait_for_host_disable_auto_owners = true; disable_auto_owner = true"
XMPP_MUC_CONFIGURATION=muc_mapper_domain_base = "x
PROSODY_ADMINS=a@meet.jitsi,focus@auth.meet.jitsi
XMPP_HIDDEN_DOMAIN=hidden.meet.jitsi
XMPP_RECORDER_DOMAIN=recorder.meet.jitsi
DISABLE_PROFILE=1
DISABLE_KICKOUT=1
DISABLE_GRANT_MODERATOR=1
ENABLE_LOBBY=0
CLAIM_RULES=[{"path":"a","op":"is","value":true,"then":"grant"}]
CLAIM_RULES_ELSE=odd
NAME_PATHS=a,b
ALGS=["HS256"]
LEEWAY=70
BIND=0.0.0.0,::
