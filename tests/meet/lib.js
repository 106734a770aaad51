// A bare page around the client library of Jitsi: what an application does with it, and no more.
// `driver` is what tests/meet/library.mjs calls from outside.
/* global JitsiMeetJS */
'use strict';

window.driver = (() => {
  const events = [];
  const messages = [];
  let connection = null;
  let room = null;
  let local = [];

  const now = () => Math.round(performance.now());

  function note(type, detail = {}) {
    events.push({ at: now(), type, ...detail });
    const item = document.createElement('li');
    item.textContent = `${now()} ${type} ${JSON.stringify(detail)}`;
    document.getElementById('log').append(item);
    draw();
  }

  function people() {
    if (!room) return [];
    const me = { id: room.myUserId(), me: true, role: room.getRole(), moderator: room.isModerator() };
    const others = room.getParticipants().map((p) => ({
      id: p.getId(), me: false, name: p.getDisplayName(), role: p.getRole(), moderator: p.isModerator(),
    }));
    return [me, ...others];
  }

  function draw() {
    document.getElementById('people').replaceChildren(...people().map((p) => {
      const item = document.createElement('li');
      item.textContent = `${p.id} ${p.me ? '(me)' : p.name} ${p.role}`;
      item.className = p.me ? 'me' : '';
      return item;
    }));
  }

  function attach(track, mine) {
    const element = document.createElement(track.getType() === 'video' ? 'video' : 'audio');
    element.autoplay = true;
    element.playsInline = true;
    element.muted = mine;
    element.dataset.track = track.getId();
    document.getElementById('media').append(element);
    track.attach(element);
  }

  function detach(track) {
    document.querySelector(`[data-track="${track.getId()}"]`)?.remove();
  }

  function listen() {
    const e = JitsiMeetJS.events.conference;
    const on = (name, describe) => {
      if (e[name]) room.on(e[name], (...args) => note(name, describe ? describe(...args) : {}));
    };
    on('CONFERENCE_JOINED');
    on('CONFERENCE_LEFT');
    on('CONFERENCE_FAILED', (code, ...more) => ({ code, more: more.map(String) }));
    on('USER_JOINED', (id, user) => ({ id, name: user.getDisplayName(), role: user.getRole() }));
    on('USER_LEFT', (id) => ({ id }));
    on('USER_ROLE_CHANGED', (id, role) => ({ id, role }));
    on('DISPLAY_NAME_CHANGED', (id, name) => ({ id, name }));
    on('KICKED', (actor, reason) => ({ actor: actor && actor.getId && actor.getId(), reason }));
    on('PARTICIPANT_KICKED', (actor, who) => ({ actor: actor.getId(), id: who.getId() }));
    on('LOCK_STATE_CHANGED', (locked) => ({ locked }));
    on('SUBJECT_CHANGED', (subject) => ({ subject }));
    on('P2P_STATUS', (_room, active) => ({ active }));
    on('TRACK_MUTE_CHANGED', (track, by) => ({
      kind: track.getType(), muted: track.isMuted(), mine: track.isLocal(), by: by && by.getId && by.getId(),
    }));
    on('NON_PARTICIPANT_MESSAGE_RECEIVED', (id, json) => ({ id, json }));
    on('ENDPOINT_MESSAGE_RECEIVED', (user, json) => ({ id: user && user.getId && user.getId(), json }));
    room.on(e.MESSAGE_RECEIVED, (id, text) => { messages.push({ id, text }); draw(); });
    room.on(e.PRIVATE_MESSAGE_RECEIVED, (id, text) => messages.push({ id, text, private: true }));
    room.on(e.TRACK_ADDED, (track) => {
      if (track.isLocal()) return;
      note('TRACK_ADDED', { kind: track.getType(), id: track.getParticipantId() });
      attach(track, false);
    });
    room.on(e.TRACK_REMOVED, (track) => {
      note('TRACK_REMOVED', { kind: track.getType() });
      detach(track);
    });
  }

  async function makeTracks() {
    local = await JitsiMeetJS.createLocalTracks({
      devices: ['audio', 'video'],
      constraints: { video: { height: { ideal: 180, max: 240 }, width: { ideal: 320 } } },
    });
    local.forEach((track) => attach(track, true));
  }

  function options(given) {
    return {
      hosts: { domain: given.domain, muc: given.muc, focus: given.focus },
      serviceUrl: given.websocket,
      clientNode: 'https://example.org/driver',
      p2p: { enabled: given.p2p !== false, stunServers: [], ...given.p2pOptions },
      enableLayerSuspension: false,
      disableSimulcast: true,
      ...given.options,
    };
  }

  /** Connects and joins: { joined: true } or { failed: where, code, words }. */
  async function join(given) {
    JitsiMeetJS.init({ sourceNameSignaling: true, disableAudioLevels: true, disableThirdPartyRequests: true });
    JitsiMeetJS.setLogLevel(JitsiMeetJS.logLevels.WARN);
    await makeTracks();
    const config = options(given);
    connection = new JitsiMeetJS.JitsiConnection(null, given.token || null, config);
    const c = JitsiMeetJS.events.connection;
    const connected = await new Promise((done) => {
      connection.addEventListener(c.CONNECTION_ESTABLISHED, () => done({ joined: true }));
      connection.addEventListener(c.CONNECTION_FAILED, (code, words) => {
        note('CONNECTION_FAILED', { code, words });
        done({ failed: 'connection', code, words });
      });
      connection.addEventListener(c.CONNECTION_DISCONNECTED, (words) => note('CONNECTION_DISCONNECTED', { words }));
      connection.connect({ name: given.room });
    });
    if (connected.failed) return connected;
    room = connection.initJitsiConference(given.room, config);
    listen();
    const e = JitsiMeetJS.events.conference;
    const entered = new Promise((done) => {
      room.on(e.CONFERENCE_JOINED, () => done({ joined: true, id: room.myUserId() }));
      room.on(e.CONFERENCE_FAILED, (code, ...more) => done({ failed: 'room', code, words: more.map(String) }));
    });
    if (given.name) room.setDisplayName(given.name);
    for (const track of local) await room.addTrack(track);
    room.join(given.password);
    return entered;
  }

  async function setMuted(kind, muted) {
    const track = local.find((t) => t.getType() === kind);
    await (muted ? track.mute() : track.unmute());
  }

  return {
    events, messages, join, people, setMuted,
    muted: (kind) => local.find((t) => t.getType() === kind).isMuted(),
    rename: (name) => room.setDisplayName(name),
    say: (text) => room.sendTextMessage(text),
    sayTo: (id, text) => room.sendPrivateTextMessage(id, text),
    kick: (id, why) => room.kickParticipant(id, why),
    grant: (id) => room.grantOwner(id),
    revoke: (id) => room.revokeOwner(id),
    mute: (id, kind) => room.muteParticipant(id, kind),
    lock: (password) => room.lock(password),
    // This library waits five seconds for what has come at once: nobody need wait with it.
    leave: () => { room.leave().finally(() => connection.disconnect()); },
  };
})();
