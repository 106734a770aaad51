eexport ENABLE_AUTH=true
AUTH_TYPE="jwt" # comment
DOMAIN_NAME='meet.example.com'
PUBLIC_URL=https://${DOMAIN_NAME}:${PORT:-8443}
JWT_APP_ID=a
JWT_APP_SECRET=0123456789abcdef0123456789abcdef
XMPP_MUC_MODULES=token_owner_party,muc_wait_for_host,my_own
XMPP_MODULES=frozen_nick,token_afiliation
XMPP_MUC_CONFIGURATION="party_check_timeout = 30,muc_lobby_whitelist = { \"recorder.meet.jitsi\" }"
GLOBAL_CONFIG=app_id = 'b'\nallow_empty_token = true
CLAIM_RULES=[{"path":"g","op":"has","value":"x","then":"deny"}]
PROSODY_ADMINS=focus@auth.meet.jitsi
EMPTY=~
