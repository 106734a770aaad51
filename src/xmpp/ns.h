/* ns.h - the namespaces that Gavel reads and writes, each with its specification. pure */
#pragma once

#define NS_CLIENT "jabber:client"                              /* RFC 6120 */
#define NS_STREAMS "http://etherx.jabber.org/streams"          /* RFC 6120 4.8 */
#define NS_STREAM_ERRORS "urn:ietf:params:xml:ns:xmpp-streams" /* RFC 6120 4.9 */
#define NS_STANZA_ERRORS "urn:ietf:params:xml:ns:xmpp-stanzas" /* RFC 6120 8.3 */
#define NS_TLS "urn:ietf:params:xml:ns:xmpp-tls"               /* RFC 6120 5 */
#define NS_SASL "urn:ietf:params:xml:ns:xmpp-sasl"             /* RFC 6120 6 */
#define NS_BIND "urn:ietf:params:xml:ns:xmpp-bind"             /* RFC 6120 7 */
#define NS_SESSION "urn:ietf:params:xml:ns:xmpp-session"       /* RFC 3921 3 */
#define NS_FRAMING "urn:ietf:params:xml:ns:xmpp-framing"       /* RFC 7395 */
#define NS_BOSH "http://jabber.org/protocol/httpbind"          /* XEP-0124 */
#define NS_XBOSH "urn:xmpp:xbosh"                              /* XEP-0206 */
#define NS_XML "http://www.w3.org/XML/1998/namespace"
#define NS_SM "urn:xmpp:sm:3"                                 /* XEP-0198 */
#define NS_PING "urn:xmpp:ping"                               /* XEP-0199 */
#define NS_DISCO_INFO "http://jabber.org/protocol/disco#info" /* XEP-0030 */
#define NS_DISCO_ITEMS "http://jabber.org/protocol/disco#items"
#define NS_EXTDISCO_2 "urn:xmpp:extdisco:2" /* XEP-0215 */
#define NS_EXTDISCO_1 "urn:xmpp:extdisco:1"
#define NS_DATA "jabber:x:data"                   /* XEP-0004 */
#define NS_DELAY "urn:xmpp:delay"                 /* XEP-0203 */
#define NS_DELAY_OLD "jabber:x:delay"             /* XEP-0091 */
#define NS_NICK "http://jabber.org/protocol/nick" /* XEP-0172 */
#define NS_MUC "http://jabber.org/protocol/muc"   /* XEP-0045 */
#define NS_MUC_USER NS_MUC "#user"
#define NS_MUC_ADMIN NS_MUC "#admin"
#define NS_MUC_OWNER NS_MUC "#owner"
#define NS_MUC_ROOMCONFIG NS_MUC "#roomconfig"
#define NS_MUC_ROOMINFO NS_MUC "#roominfo"
#define NS_JINGLE "urn:xmpp:jingle:1" /* XEP-0166 */
#define NS_JINGLE_ERRORS "urn:xmpp:jingle:errors:1"
#define NS_REPLY "urn:xmpp:reply:0" /* XEP-0461 */
/* Names of the Jitsi protocol, as its clients match them. */
#define NS_JITMEET "http://jitsi.org/jitmeet"
#define NS_JIBRI "http://jitsi.org/protocol/jibri"
#define NS_RAYO "urn:xmpp:rayo:1"
#define NS_MUTE_AUDIO NS_JITMEET "/audio"
#define NS_MUTE_VIDEO NS_JITMEET "/video"
#define NS_MUTE_DESKTOP NS_JITMEET "/desktop"
#define NS_FOCUS "http://jitsi.org/protocol/focus"
#define NS_DISPLAY_NAME "http://jitsi.org/protocol/display-name"
