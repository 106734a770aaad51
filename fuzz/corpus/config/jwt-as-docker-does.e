e# Authentication on as docker-jitsi-meet does it by default: JWT, and Jicofo's authentication follows ENABLE_AUTH.
PUBLIC_URL=https://meet.example.com
ENABLE_AUTH=1
AUTH_TYPE=jwt
JWT_APP_ID=my_app_id
JWT_APP_SECRET=0123456789abcdef0123456789abcdef
