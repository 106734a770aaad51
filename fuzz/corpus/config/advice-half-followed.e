e# The advice of the forum half followed: token_affiliation is loaded, but ENABLE_AUTO_OWNER is left on, and
# JICOFO_ENABLE_AUTH is not set at all, so that in stock Jitsi it follows ENABLE_AUTH.
PUBLIC_URL=https://meet.example.com
ENABLE_AUTH=1
ENABLE_GUESTS=1
AUTH_TYPE=jwt
JWT_APP_ID=my_app_id
JWT_APP_SECRET=0123456789abcdef0123456789abcdef
JWT_ACCEPTED_ISSUERS=my_app_id
JWT_ACCEPTED_AUDIENCES=jitsi
XMPP_MUC_MODULES=token_affiliation
ENABLE_AUTO_OWNER=1
ENABLE_LOBBY=1
