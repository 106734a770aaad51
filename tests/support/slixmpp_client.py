# slixmpp_client.py - clients made of slixmpp, driven by lines of JSON: {c: client, n: request, do: what, ...} on standard
# input; answers {c, n, refused?} and what the library understood {c, presence | message} on standard output.
# The same lines as those of libstrophe_client.c.
import asyncio
import json
import logging
import ssl
import sys

import slixmpp
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.xmlstream import ET

logging.getLogger('slixmpp').setLevel(logging.CRITICAL)
logging.getLogger('asyncio').setLevel(logging.CRITICAL)

FOCUS = 'http://jitsi.org/protocol/focus'
NICK = 'http://jabber.org/protocol/nick'


def tell(line):
    sys.stdout.write(json.dumps(line) + '\n')
    sys.stdout.flush()


class Refused(Exception):
    def __init__(self, stage, condition, text=None):
        super().__init__(condition)
        self.said = {'stage': stage, 'condition': condition or None, 'text': text or None}


class Client(slixmpp.ClientXMPP):
    def __init__(self, number, ask):
        super().__init__(ask['jid'], ask.get('password') or '')
        self.number = number
        self.focus = ask['focus']
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        for plugin in ('xep_0045', 'xep_0199'):
            self.register_plugin(plugin)
        if ask.get('mechanism'):
            self['feature_mechanisms'].use_mech = ask['mechanism']
        self.rooms = set()
        self.begun = asyncio.get_running_loop().create_future()
        self.add_event_handler('session_start', lambda _: self.begin(None))
        self.add_event_handler('failed_auth', self.failed)
        self.add_event_handler('disconnected', lambda _: self.begin(Refused('stream', 'disconnected')))
        self.add_event_handler('presence', self.present)
        self.add_event_handler('presence_error', self.present)
        self.add_event_handler('message', self.heard)
        self.add_event_handler('groupchat_message_error', self.heard)

    def begin(self, problem):
        if self.begun.done():
            return
        if problem:
            self.begun.set_exception(problem)
        else:
            self.begun.set_result(self.boundjid.full)

    def failed(self, stanza):
        self.begin(Refused('sasl', stanza['condition'], stanza['text']))

    def present(self, p):
        muc = p['muc']
        item = muc.xml.find('{http://jabber.org/protocol/muc#user}item')
        actor = item.find('{http://jabber.org/protocol/muc#user}actor') if item is not None else None
        error = p['type'] == 'error'
        tell({'c': self.number, 'presence': {
            'from': p['from'].full,
            'type': p['type'] if p['type'] in ('error', 'unavailable') else 'available',
            'affiliation': muc['affiliation'] or None, 'role': muc['role'] or None, 'jid': str(muc['jid']) or None,
            'codes': sorted(str(code) for code in muc['status_codes']),
            'actor': actor.get('nick') if actor is not None else None,
            'name': p.xml.findtext('{%s}nick' % NICK) or None,
            'condition': p['error']['condition'] if error else None,
            'text': p['error']['text'] or None if error else None,
        }})

    def heard(self, m):
        tell({'c': self.number, 'message': {'from': m['from'].full, 'type': m['type'], 'body': m['body'] or None}})

    async def conference(self, room):
        iq = self.make_iq_set(ito=self.focus)
        iq.append(ET.Element('{%s}conference' % FOCUS, {'room': room, 'machine-uid': 'm'}))
        await iq.send(timeout=8)

    async def do_connect(self, ask):
        self.connect((ask['host'], ask['port']), use_ssl=ask['direct'], force_starttls=not ask['direct'])
        return await self.begun

    async def do_join(self, ask):
        await self.conference(ask['room'])
        self.rooms.add(ask['room'])
        self.do_present(ask, [ET.Element('{http://jabber.org/protocol/muc}x')])

    def do_present(self, ask, more=()):
        p = self.make_presence(pto='%s/%s' % (ask['room'], ask['nick']))
        for element in more:
            p.append(element)
        if ask.get('name'):
            nick = ET.Element('{%s}nick' % NICK)
            nick.text = ask['name']
            p.append(nick)
        p.send()

    async def do_rename(self, ask):
        self.do_present(ask)

    async def do_affiliation(self, ask):
        await self['xep_0045'].set_affiliation(ask['room'], ask['affiliation'], jid=slixmpp.JID(ask['jid']))

    async def do_kick(self, ask):
        await self['xep_0045'].set_role(ask['room'], ask['nick'], 'none', reason=ask.get('reason') or '')

    async def do_say(self, ask):
        self.send_message(mto=ask['room'], mbody=ask['body'], mtype='groupchat')

    async def do_leave(self, _):
        await self.disconnect(wait=1)


async def serve(clients, ask):
    c, n = ask['c'], ask['n']
    try:
        if ask['do'] == 'connect':
            clients[c] = Client(c, ask)
        result = await getattr(clients[c], 'do_' + ask['do'])(ask)
        tell({'c': c, 'n': n, 'result': result if isinstance(result, str) else None})
    except Refused as e:
        tell({'c': c, 'n': n, 'refused': e.said})
    except IqError as e:
        tell({'c': c, 'n': n, 'refused': {'stage': 'iq', 'condition': e.condition, 'text': e.text or None}})
    except IqTimeout:
        tell({'c': c, 'n': n, 'refused': {'stage': 'iq', 'condition': 'timeout', 'text': None}})
    except Exception as e:  # the test has to learn of everything that goes wrong here
        tell({'c': c, 'n': n, 'refused': {'stage': 'driver', 'condition': repr(e), 'text': None}})


async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    clients, tasks = {}, set()
    tell({'ready': 'slixmpp ' + slixmpp.__version__})
    while line := await reader.readline():
        task = loop.create_task(serve(clients, json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.set_event_loop(asyncio.new_event_loop())
asyncio.get_event_loop().run_until_complete(main())
