# outside_focus.py - a focus outside, as Jicofo behaves on the wire, made of slixmpp: joins the room that a conference
# request names, sets it up, asks everybody for his features, mutes for moderators. On order it leaves, ends a meeting,
# or tries to promote somebody in every way that the protocol has. Lines of JSON in and out: {n, do, ...} -> {n, result}.
import asyncio
import json
import logging
import ssl
import sys

import slixmpp
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.xmlstream import ET
from slixmpp.xmlstream.handler import CoroutineCallback
from slixmpp.xmlstream.matcher import MatchXPath

logging.getLogger('slixmpp').setLevel(logging.CRITICAL)
logging.getLogger('asyncio').setLevel(logging.CRITICAL)

FOCUS = 'http://jitsi.org/protocol/focus'
MUC = 'http://jabber.org/protocol/muc'
DATA = 'jabber:x:data'
CONFIG = 'http://jabber.org/protocol/muc#roomconfig'
JITMEET = 'http://jitsi.org/jitmeet'
DISCO = 'http://jabber.org/protocol/disco#info'


def tell(line):
    sys.stdout.write(json.dumps(line) + '\n')
    sys.stdout.flush()


def element(tag, ns, attributes=None, *children):
    e = ET.Element('{%s}%s' % (ns, tag), attributes or {})
    e.extend(children)
    return e


def field(var, *values):
    f = element('field', DATA, {'var': var})
    for value in values:
        v = element('value', DATA)
        v.text = value
        f.append(v)
    return f


def form(*fields):
    return element('x', DATA, {'type': 'submit'}, field('FORM_TYPE', CONFIG), *fields)


class Focus(slixmpp.ClientXMPP):
    def __init__(self, ask):
        super().__init__(ask['jid'], ask['password'])
        self.ssl_context.check_hostname = False
        self.ssl_context.verify_mode = ssl.CERT_NONE
        self.seen = {}        # occupant address -> its last item
        self.told = {}        # occupant address -> features
        self.entering = {}    # room -> future
        self.silent = False
        self.begun = asyncio.get_running_loop().create_future()
        self.add_event_handler('session_start', lambda _: self.settle(self.begun, self.boundjid.full))
        self.add_event_handler('failed_auth', lambda _: self.settle(self.begun, None))
        self.add_event_handler('presence', self.on_presence)
        self.add_event_handler('presence_error', self.on_presence)
        self.add_event_handler('groupchat_message', lambda m: None)
        for name, path, fn in (
                ('conference', '{%s}conference' % FOCUS, self.on_conference),
                ('login-url', '{%s}login-url' % FOCUS, self.on_login_url),
                ('mute', '{%s/audio}mute' % JITMEET, self.on_mute),
                ('jingle', '{urn:xmpp:jingle:1}jingle', self.on_jingle)):
            self.register_handler(CoroutineCallback(name, MatchXPath('{jabber:client}iq/' + path), fn))

    @staticmethod
    def settle(future, value):
        if not future.done():
            future.set_result(value)

    # what it does by itself

    async def on_conference(self, iq):
        if iq['type'] not in ('set', 'get') or self.silent:
            return
        asked = iq.xml.find('{%s}conference' % FOCUS)
        tell({'asked': dict(asked.attrib), 'from': iq['from'].full, 'id': iq['id'],
              'properties': {p.get('name'): p.get('value') for p in asked}})
        room = asked.get('room')
        ready = await self.enter(room)
        answer = iq.reply()
        answer.append(element('conference', FOCUS, {
            'room': room, 'ready': 'true' if ready else 'false', 'focusjid': self.boundjid.bare},
            element('property', FOCUS, {'name': 'authentication', 'value': 'false'})))
        answer.send()

    async def on_login_url(self, iq):
        asked = iq.xml.find('{%s}login-url' % FOCUS)
        answer = iq.reply()
        answer.append(element('login-url', FOCUS, dict(asked.attrib, url='https%3A%2F%2Flogin.example%2F')))
        answer.send()

    async def on_mute(self, iq):
        if iq['type'] != 'set':
            return
        mute = iq.xml.find('{%s/audio}mute' % JITMEET)
        item = self.seen.get(iq['from'].full, {})
        tell({'mute': mute.get('jid'), 'from': iq['from'].full, 'role': item.get('role')})
        iq.reply().send()
        order = self.make_iq_set(ito=mute.get('jid'))
        order.append(element('mute', JITMEET + '/audio', {'actor': iq['from'].full}))
        order.xml[0].text = 'true'
        order.send(callback=lambda _: None)

    async def on_jingle(self, iq):
        if iq['type'] == 'set':
            tell({'jingle': iq.xml[0].get('action'), 'from': iq['from'].full})
            iq.reply().send()

    def on_presence(self, p):
        address, item = p['from'].full, p.xml.find('.//{%s#user}item' % MUC)
        codes = [s.get('code') for s in p.xml.iter('{%s#user}status' % MUC)]
        if '110' in codes or p['type'] == 'error':
            tell({'self': address, 'type': p['type'], 'codes': codes,
                  'condition': p['error']['condition'] if p['type'] == 'error' else None})
            self.settle(self.entering.pop(p['from'].bare, asyncio.get_running_loop().create_future()), p['type'])
            return
        if p['type'] == 'unavailable':
            self.seen.pop(address, None)
        elif item is not None:
            new = address not in self.seen
            self.seen[address] = dict(item.attrib)
            if new:
                asyncio.ensure_future(self.ask_features(address))

    async def ask_features(self, address):
        iq = self.make_iq_get(ito=address)
        iq.append(element('query', DISCO))
        try:
            answer = await iq.send(timeout=5)
            self.told[address] = [f.get('var') for f in answer.xml.iter('{%s}feature' % DISCO)]
        except (IqError, IqTimeout):
            self.told[address] = None

    async def enter(self, room):
        if any(a.startswith(room + '/') for a in self.seen) or room in self.entering:
            return True
        done = self.entering[room] = asyncio.get_running_loop().create_future()
        p = self.make_presence(pto=room + '/focus')
        p.append(element('x', MUC))
        p.append(element('conference-properties', FOCUS, None,
                         element('property', FOCUS, {'key': 'bridge-count', 'value': '2'})))
        p.send()
        if await done == 'error':
            return False
        iq = self.make_iq_get(ito=room)
        iq.append(element('query', MUC + '#owner'))
        got = (await iq.send(timeout=5)).xml
        fields = {f.get('var'): f.findtext('{%s}value' % DATA) for f in got.iter('{%s}field' % DATA)}
        iq = self.make_iq_set(ito=room)
        iq.append(element('query', MUC + '#owner', None, form(field('muc#roomconfig_whois', 'anyone'))))
        await iq.send(timeout=5)
        tell({'entered': room, 'meeting': fields.get('muc#roominfo_meetingId')})
        return True

    # what it does on order

    async def do_enter(self, ask):
        return await self.enter(ask['room'])

    async def do_leave(self, ask):
        done = self.entering[ask['room']] = asyncio.get_running_loop().create_future()
        self.make_presence(pto=ask['room'] + '/focus', ptype='unavailable').send()
        self.seen = {a: i for a, i in self.seen.items() if not a.startswith(ask['room'] + '/')}
        return await asyncio.wait_for(done, 5)

    async def do_silence(self, ask):
        self.silent = ask['on']

    async def do_look(self, _):
        return {'seen': self.seen, 'features': self.told}

    async def do_publish(self, ask):
        p = self.make_presence(pto=ask['room'] + '/focus')
        p.append(element('conference-properties', FOCUS, None,
                         element('property', FOCUS, {'key': 'bridge-count', 'value': ask['bridges']})))
        p.send()

    async def do_kick(self, ask):
        return await self.attempt(ask['room'], element('query', MUC + '#admin', None, element(
            'item', MUC + '#admin', {'nick': ask['nick'], 'role': 'none'})))

    async def do_end(self, ask):
        return await self.attempt(ask['room'], element('query', MUC + '#owner', None, element('destroy', MUC + '#owner')))

    async def attempt(self, to, child, kind='set'):
        iq = self.make_iq_set(ito=to) if kind == 'set' else self.make_iq_get(ito=to)
        iq.append(child)
        try:
            return (await iq.send(timeout=5))['type']
        except IqError as e:
            return e.condition
        except IqTimeout:
            return 'timeout'

    async def do_promote(self, ask):
        """Every way to make `nick` a moderator, and to take it from `mod`. What each was answered."""
        room, nick, jid, mod = ask['room'], ask['nick'], slixmpp.JID(ask['jid']), ask['mod']
        admin, owner, out = MUC + '#admin', MUC + '#owner', {}

        async def items(name, *attributes):
            out[name] = await self.attempt(room, element('query', admin, None, *(
                element('item', admin, a) for a in attributes)))

        await items('owner by bare JID', {'affiliation': 'owner', 'jid': jid.bare})
        await items('owner by full JID', {'affiliation': 'owner', 'jid': jid.full})
        await items('owner by nick', {'affiliation': 'owner', 'nick': nick})
        await items('admin by nick', {'affiliation': 'admin', 'nick': nick})
        await items('moderator by nick', {'role': 'moderator', 'nick': nick})
        await items('member by nick', {'affiliation': 'member', 'nick': nick})
        await items('visitor', {'role': 'visitor', 'nick': nick})
        await items('outcast', {'affiliation': 'outcast', 'nick': nick})
        await items('all at once', {'affiliation': 'owner', 'jid': jid.bare}, {'affiliation': 'none', 'nick': mod},
                    {'role': 'moderator', 'nick': nick})
        await items('none for the moderator', {'affiliation': 'none', 'nick': mod})
        await items('participant for the moderator', {'role': 'participant', 'nick': mod})
        for var in ('roomowners', 'roomadmins'):
            out[var] = await self.attempt(room, element('query', owner, None, form(field(
                'muc#roomconfig_' + var, jid.bare, jid.full))))
        out['owner list'] = await self.attempt(room, element('query', owner, None, element(
            'item', owner, {'affiliation': 'owner', 'jid': jid.bare})))
        out['its account'] = await self.attempt(room, element('query', admin, None, element(
            'item', admin, {'affiliation': 'none', 'jid': self.boundjid.bare})))
        # things nobody answers: a presence in his name, and one that says what only the server says
        p = self.make_presence(pto='%s/%s' % (room, nick), pfrom='%s/%s' % (room, nick))
        p.append(element('x', MUC + '#user', None, element('item', MUC + '#user', {
            'affiliation': 'owner', 'role': 'moderator', 'jid': jid.full})))
        p.send()
        p = self.make_presence(pto=room + '/focus')
        p.append(element('x', MUC + '#user', None, element('item', MUC + '#user', {
            'affiliation': 'owner', 'role': 'moderator', 'nick': nick})))
        p.append(element('conference-properties', FOCUS))
        p.send()
        m = self.make_message(mto='%s/%s' % (room, nick), mtype='chat')
        m.append(element('x', MUC + '#user', None, element('item', MUC + '#user', {
            'affiliation': 'owner', 'role': 'moderator'})))
        m.send()
        return out


async def serve(focus, ask):
    try:
        tell({'n': ask['n'], 'result': await getattr(focus, 'do_' + ask['do'])(ask)})
    except Exception as e:  # the test has to learn of everything that goes wrong here
        tell({'n': ask['n'], 'wrong': repr(e)})


async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    focus, tasks = None, set()
    while line := await reader.readline():
        ask = json.loads(line)
        if ask['do'] == 'connect':
            focus = Focus(ask)
            focus.connect((ask['host'], ask['port']), use_ssl=False, force_starttls=True)
            tell({'n': ask['n'], 'result': await focus.begun})
            continue
        task = loop.create_task(serve(focus, ask))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.set_event_loop(asyncio.new_event_loop())
asyncio.get_event_loop().run_until_complete(main())
