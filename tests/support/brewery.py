# brewery.py - slixmpp plays a bridge, a recorder and the focus that uses them, in their breweries over TCP with STARTTLS.
# Arguments: port, domain. Prints what each of them saw, one JSON object.
import asyncio
import json
import logging
import ssl
import sys

import slixmpp
from slixmpp.exceptions import IqError
from slixmpp.xmlstream import ET, register_stanza_plugin  # noqa: F401
from slixmpp.xmlstream.handler import Callback, CoroutineCallback
from slixmpp.xmlstream.matcher import MatchXPath

logging.getLogger('slixmpp').setLevel(logging.CRITICAL)
logging.getLogger('asyncio').setLevel(logging.CRITICAL)

COLIBRI = 'http://jitsi.org/protocol/colibri'
COLIBRI2 = 'jitsi:colibri2'
HEALTH = 'http://jitsi.org/protocol/healthcheck'
JIBRI = 'http://jitsi.org/protocol/jibri'
port, domain = int(sys.argv[1]), sys.argv[2]
internal = f'internal-muc.{domain}'
seen = {}


class Service(slixmpp.ClientXMPP):
    def __init__(self, jid, password, mechanism):
        super().__init__(jid, password, sasl_mech=mechanism)
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.register_plugin('xep_0045')
        self.register_plugin('xep_0199')
        self.begun = asyncio.get_running_loop().create_future()
        self.presences = []
        self.add_event_handler('session_start', lambda _: self.begun.done() or self.begun.set_result(True))
        self.add_event_handler('failed_auth', lambda _: self.begun.done() or self.begun.set_exception(Exception('auth')))
        self.add_event_handler('presence', self.presences.append)

    async def start(self):
        self.connect(address=('127.0.0.1', port), disable_starttls=False)
        await asyncio.wait_for(self.begun, 10)

    def appear(self, room, nick, element):
        p = self.make_presence(pto=f'{room}@{internal}/{nick}')
        p.append(ET.Element('{http://jabber.org/protocol/muc}x'))
        p.append(element)
        p.send()

    async def sees(self, check, what):
        for _ in range(400):
            for p in self.presences:
                if check(p):
                    return p
            await asyncio.sleep(0.02)
        raise Exception(f'{self.boundjid}: waited for {what}')

    def answers(self, name, ns, element):
        def handle(iq):
            seen.setdefault('asked', []).append([str(self.boundjid.user), name, str(iq['from'])])
            reply = iq.reply()
            if element is not None:
                reply.append(element)
            reply.send()
        self.register_handler(Callback(f'{name} of {ns}', MatchXPath(f'{{jabber:client}}iq/{{{ns}}}{name}'), handle))

    async def ask(self, to, kind, element):
        iq = self.make_iq(ito=to, itype=kind, ifrom=None)
        iq.append(element)
        return await iq.send(timeout=8)


def stats(stress):
    s = ET.Element(f'{{{COLIBRI}}}stats')
    for name, value in (('stress_level', stress), ('colibri2', 'true'), ('region', 'eu')):
        ET.SubElement(s, f'{{{COLIBRI}}}stat', {'name': name, 'value': value})
    return s


def busy(status):
    s = ET.Element(f'{{{JIBRI}}}jibri-status')
    ET.SubElement(s, f'{{{JIBRI}}}busy-status', {'status': status})
    return s


def stress_of(p):
    return [e.get('value') for e in p.xml.iter(f'{{{COLIBRI}}}stat') if e.get('name') == 'stress_level']


async def main():
    focus = Service(f'focus@auth.{domain}', 'focus-secret', 'SCRAM-SHA-256')
    bridge = Service(f'jvb@auth.{domain}', 'jvb-secret', 'SCRAM-SHA-1')
    jibri = Service(f'jibri@auth.{domain}', 'jibri-secret', 'PLAIN')
    recorder = Service(f'recorder@hidden.{domain}', 'recorder-secret', None)
    for s in (focus, bridge, jibri, recorder):
        await s.start()
    seen['jids'] = [str(s.boundjid) for s in (focus, bridge, jibri, recorder)]

    bridge.answers('conference-modify', COLIBRI2, ET.Element(f'{{{COLIBRI2}}}conference-modified'))
    bridge.answers('healthcheck', HEALTH, None)
    jibri.answers('jibri', JIBRI, ET.Element(f'{{{JIBRI}}}jibri', {'status': 'pending'}))

    bridge.appear('jvbbrewery', 'jvb-1.example', stats('0.1'))
    own = await bridge.sees(lambda p: str(p['from']) == f'jvbbrewery@{internal}/jvb-1.example', 'itself')
    seen['bridge_codes'] = sorted(e.get('code') for e in own.xml.iter('{http://jabber.org/protocol/muc#user}status'))
    focus.appear('jvbbrewery', 'focus', ET.Element('{jabber:client}none'))
    first = await focus.sees(lambda p: stress_of(p) == ['0.1'], 'the statistics of the bridge')
    item = next(first.xml.iter('{http://jabber.org/protocol/muc#user}item'))
    seen['bridge_item'] = [item.get('affiliation'), item.get('role'), item.get('jid')]
    update = bridge.make_presence(pto=f'jvbbrewery@{internal}/jvb-1.example')
    update.append(stats('0.7'))
    update.send()
    await focus.sees(lambda p: stress_of(p) == ['0.7'], 'new statistics')

    room = f'jvbbrewery@{internal}/jvb-1.example'
    modify = ET.Element(f'{{{COLIBRI2}}}conference-modify', {'meeting-id': 'm1', 'create': 'true'})
    answer = await focus.ask(room, 'get', modify)
    seen['modified'] = [answer['type'], str(answer['from']), len(answer.xml)]
    answer = await focus.ask(room, 'get', ET.Element(f'{{{HEALTH}}}healthcheck'))
    seen['healthy'] = answer['type']
    answer = await focus.ask(bridge.boundjid, 'get', ET.Element(f'{{{HEALTH}}}healthcheck'))
    seen['direct'] = [answer['type'], str(answer['from'])]

    jibri.appear('jibribrewery', 'jibri-1', busy('idle'))
    await jibri.sees(lambda p: str(p['from']).startswith('jibribrewery@'), 'itself')
    focus.appear('jibribrewery', 'focus', ET.Element('{jabber:client}none'))
    await focus.sees(lambda p: any(e.get('status') == 'idle' for e in p.xml.iter(f'{{{JIBRI}}}busy-status')), 'an idle recorder')
    answer = await focus.ask(f'jibribrewery@{internal}/jibri-1', 'set',
                             ET.Element(f'{{{JIBRI}}}jibri', {'action': 'start', 'session_id': 's1'}))
    seen['recording'] = [e.get('status') for e in answer.xml.iter(f'{{{JIBRI}}}jibri')]

    pong = await bridge.plugin['xep_0199'].send_ping(f'auth.{domain}', timeout=5)
    seen['ping'] = pong['type']
    info = await focus.ask(f'auth.{domain}', 'get', ET.Element('{http://jabber.org/protocol/disco#info}query'))
    seen['info'] = [e.get('category') for e in info.xml.iter('{http://jabber.org/protocol/disco#info}identity')]
    items = await focus.ask(internal, 'get', ET.Element('{http://jabber.org/protocol/disco#items}query'))
    seen['rooms'] = sorted(e.get('jid') for e in items.xml.iter('{http://jabber.org/protocol/disco#items}item'))

    # the bridge goes without a word, and comes again under its name
    bridge.transport.abort()
    await focus.sees(lambda p: p['type'] == 'unavailable' and str(p['from']) == room, 'the bridge leaving')
    try:
        await focus.ask(room, 'get', ET.Element(f'{{{HEALTH}}}healthcheck'))
        seen['gone'] = 'answered'
    except IqError as e:
        seen['gone'] = e.condition
    again = Service(f'jvb@auth.{domain}', 'jvb-secret', None)
    await again.start()
    again.appear('jvbbrewery', 'jvb-1.example', stats('0.2'))
    await focus.sees(lambda p: stress_of(p) == ['0.2'], 'the bridge again')
    for s in (focus, again, jibri, recorder):
        await s.disconnect()
    print(json.dumps(seen))


asyncio.run(main())
