// One peer-to-peer session: an RTCPeerConnection and the Jingle requests that set it up.

import { NS, Xml, attr, child, children, text, x } from './xml';
import { Stream } from './xmpp';
import {
  candidateLines, describe, sourceNames, toSdp, trickle, withSources, withoutSources,
} from './jingle';

const TRICKLE_MS = 100;
// Formats worth offering; leaving the rest out keeps the request small and the choice plain.
const AUDIO = /^audio\/(opus|telephone-event)$/i;
const VIDEO = /^video\/(VP8|VP9|AV1|H264|rtx)$/i;

export interface RemoteMedia {
  audio: MediaStreamTrack | null;
  video: MediaStreamTrack | null;
  /** A screen shown beside the camera, where the other side's client can do that. */
  screen: MediaStreamTrack | null;
}

export interface PeerEvents {
  media(media: RemoteMedia): void;
  connected(): void;
  /** The session is over; the condition is Jingle's, "" where this side ended it. */
  over(condition: string): void;
}

export interface LocalTracks {
  audio: MediaStreamTrack | null;
  video: MediaStreamTrack | null;
}

export class Peer {
  readonly pc: RTCPeerConnection;
  readonly remote: RemoteMedia = { audio: null, video: null, screen: null };
  private readonly found: RTCIceCandidate[] = [];
  private readonly early: string[] = [];
  private trickleTimer = 0;
  private trickleReady = false;
  /** Sections whose source is a screen. */
  private readonly screens = new Set<string>();
  private described = false;
  private closed = false;
  /** Work on the connection runs one piece after the other. */
  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly stream: Stream,
    private readonly me: string,
    readonly address: string,
    readonly sid: string,
    readonly initiator: boolean,
    private readonly nick: string,
    private tracks: LocalTracks,
    iceServers: RTCIceServer[],
    private readonly on: PeerEvents,
  ) {
    this.pc = new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' });
    this.pc.onicecandidate = (event) => this.onCandidate(event.candidate);
    this.pc.ontrack = (event) => this.onTrack(event);
    this.pc.onconnectionstatechange = () => {
      if (this.pc.connectionState === 'connected') this.on.connected();
      if (this.pc.connectionState === 'failed') this.terminate('connectivity-error');
    };
  }

  /** Offers a session to the other side. */
  initiate(): void {
    this.run(async () => {
      for (const kind of ['audio', 'video'] as const) {
        const transceiver = this.pc.addTransceiver(this.tracks[kind] ?? kind, { direction: 'sendrecv' });
        prefer(transceiver, kind);
      }
      await this.pc.setLocalDescription(await this.pc.createOffer());
      await this.request('session-initiate', { initiator: this.initiatorAddress },
        describe(this.pc.localDescription?.sdp ?? '', 'initiator', this.nick));
      this.startTrickle();
    });
  }

  /** Answers the session that the other side offered. */
  answer(jingle: Element): void {
    this.run(async () => {
      await this.setRemote({ type: 'offer', sdp: toSdp(jingle) }, jingle);
      for (const transceiver of this.pc.getTransceivers()) {
        if (transceiver.currentDirection !== null) continue;
        const kind = transceiver.receiver.track.kind === 'audio' ? 'audio' : 'video';
        const first = this.pc.getTransceivers().find((t) => t.receiver.track.kind === kind);
        if (first !== transceiver) continue;
        transceiver.direction = 'sendrecv';
        await transceiver.sender.replaceTrack(this.tracks[kind]);
      }
      await this.pc.setLocalDescription(await this.pc.createAnswer());
      await this.request('session-accept', { initiator: this.initiatorAddress, responder: this.me },
        describe(this.pc.localDescription?.sdp ?? '', 'responder', this.nick));
      this.startTrickle();
    });
  }

  /** Sends what is given from now on; null sends nothing. No renegotiation is needed. */
  send(tracks: LocalTracks): void {
    this.tracks = tracks;
    this.run(async () => {
      for (const kind of ['audio', 'video'] as const) {
        await this.sender(kind)?.replaceTrack(this.tracks[kind]);
      }
    });
  }

  /** Handles a request of this session; the request is answered here. */
  handle(request: Element, jingle: Element): void {
    const action = attr(jingle, 'action');
    const known = ['session-accept', 'transport-info', 'source-add', 'source-remove',
      'content-modify', 'session-terminate', 'session-info'];
    if (!known.includes(action)) {
      this.stream.refuse(request, 'bad-request');
      return;
    }
    this.stream.reply(request);
    switch (action) {
      case 'session-accept':
        if (!this.initiator) return;
        this.run(() => this.setRemote({ type: 'answer', sdp: toSdp(jingle) }, jingle));
        return;
      case 'transport-info':
        for (const content of children(jingle, 'content')) this.addCandidates(candidateLines(content));
        return;
      case 'source-add':
        this.run(() => this.renegotiate((sdp) => withSources(sdp, jingle)));
        return;
      case 'source-remove':
        this.run(() => this.renegotiate((sdp) => withoutSources(sdp, jingle)));
        return;
      case 'content-modify':
        this.run(() => this.limitVideo(jingle));
        return;
      case 'session-terminate': {
        const reason = child(jingle, 'reason')?.firstElementChild?.localName ?? 'success';
        this.close();
        this.on.over(reason);
        return;
      }
      default:
    }
  }

  /** Ends the session and says why. */
  terminate(condition: string, words = ''): void {
    if (this.closed) return;
    this.close();
    this.request('session-terminate', { initiator: this.initiatorAddress }, [
      x('reason', {}, x(condition), words ? x('text', {}, words) : null),
    ]).catch(() => undefined);
    this.on.over(condition === 'success' ? '' : condition);
  }

  /** Ends the session without a word: the other side is gone. */
  close(): void {
    this.closed = true;
    clearTimeout(this.trickleTimer);
    this.pc.onicecandidate = null;
    this.pc.ontrack = null;
    this.pc.onconnectionstatechange = null;
    this.pc.close();
  }

  private get initiatorAddress(): string {
    return this.initiator ? this.me : this.address;
  }

  private run(work: () => Promise<void>): void {
    this.queue = this.queue.then(async () => {
      if (this.closed) return;
      try {
        await work();
      } catch (error) {
        if (this.closed) return;
        console.error('peer session failed', error);
        this.terminate('failed-application', error instanceof Error ? error.message : '');
      }
    });
  }

  private request(action: string, attributes: Record<string, string>, contents: Xml[]):
      Promise<Element> {
    return this.stream.iq('set', this.address,
      x('jingle', { xmlns: NS.jingle, action, sid: this.sid, ...attributes }, contents));
  }

  private sender(kind: 'audio' | 'video'): RTCRtpSender | undefined {
    return this.pc.getTransceivers()
      .find((t) => t.receiver.track.kind === kind && t.currentDirection !== 'stopped')?.sender;
  }

  private async setRemote(description: RTCSessionDescriptionInit, jingle: Element): Promise<void> {
    await this.pc.setRemoteDescription(description);
    this.described = true;
    this.addCandidates(this.early.splice(0));
    // A screen is told from a camera by the name of its source.
    for (const [mid, name] of sourceNames(jingle)) {
      if (/-v[1-9]\d*$/.test(name)) this.screens.add(mid);
    }
    this.collect();
  }

  private addCandidates(lines: string[]): void {
    if (!this.described) {
      this.early.push(...lines);
      return;
    }
    for (const candidate of lines) {
      // Everything is bundled, so the first section stands for all.
      this.pc.addIceCandidate({ candidate, sdpMLineIndex: 0 })
        .catch((error) => console.warn('candidate refused', candidate, error));
    }
  }

  private async renegotiate(change: (sdp: string) => string): Promise<void> {
    const current = this.pc.remoteDescription?.sdp;
    if (!current) return;
    const wanted = change(current);
    if (wanted === current) return;
    await this.pc.setRemoteDescription({ type: 'offer', sdp: wanted });
    await this.pc.setLocalDescription(await this.pc.createAnswer());
    this.collect();
  }

  /** The other side tells how much of the picture it can use. */
  private async limitVideo(jingle: Element): Promise<void> {
    const sender = this.sender('video');
    const content = child(jingle, 'content');
    if (!sender || !content) return;
    const parameters = sender.getParameters();
    const encoding = parameters.encodings[0];
    if (!encoding) return;
    const senders = attr(content, 'senders');
    // Clients of today name the source, those of 2021 speak of the only one there is.
    const named = children(content, 'source-frame-height')
      .find((h) => attr(h, 'sourceName') === `${this.nick}-v0`);
    const legacy = child(content, 'max-frame-height');
    const wanted = named ? Number(attr(named, 'maxHeight')) : legacy ? Number(text(legacy)) : undefined;
    const height = this.tracks.video?.getSettings().height ?? 0;
    encoding.active = senders !== 'none' && wanted !== 0;
    encoding.scaleResolutionDownBy = wanted && height > wanted ? height / wanted : 1;
    await sender.setParameters(parameters);
  }

  private onTrack(event: RTCTrackEvent): void {
    event.track.onmute = () => this.collect();
    event.track.onunmute = () => this.collect();
    this.collect();
  }

  /** Sorts what is being received into sound, camera and screen. */
  private collect(): void {
    const receiving = this.pc.getTransceivers().filter((t) =>
      t.receiver.track && t.receiver.track.readyState === 'live'
      && (t.currentDirection === 'sendrecv' || t.currentDirection === 'recvonly'
        || t.currentDirection === null));
    const first = (test: (t: RTCRtpTransceiver) => boolean): MediaStreamTrack | null =>
      receiving.find(test)?.receiver.track ?? null;
    const video = receiving.filter((t) => t.receiver.track.kind === 'video');
    const screen = video.find((t, i) => (t.mid !== null && this.screens.has(t.mid)) || i > 0);
    this.remote.audio = first((t) => t.receiver.track.kind === 'audio');
    this.remote.video = first((t) => t.receiver.track.kind === 'video' && t !== screen);
    this.remote.screen = screen?.receiver.track ?? null;
    this.on.media(this.remote);
  }

  private onCandidate(candidate: RTCIceCandidate | null): void {
    if (!candidate || candidate.candidate === '') return;
    this.found.push(candidate);
    if (this.trickleReady) this.scheduleTrickle();
  }

  private startTrickle(): void {
    this.trickleReady = true;
    if (this.found.length > 0) this.scheduleTrickle();
  }

  private scheduleTrickle(): void {
    if (this.trickleTimer !== 0) return;
    this.trickleTimer = window.setTimeout(() => {
      this.trickleTimer = 0;
      const found = this.found.splice(0);
      const sdp = this.pc.localDescription?.sdp;
      if (this.closed || !sdp) return;
      this.request('transport-info', { initiator: this.initiatorAddress },
        trickle(sdp, this.initiator ? 'initiator' : 'responder', found)).catch(() => undefined);
    }, TRICKLE_MS);
  }
}

function prefer(transceiver: RTCRtpTransceiver, kind: 'audio' | 'video'): void {
  const wanted = kind === 'audio' ? AUDIO : VIDEO;
  const codecs = RTCRtpReceiver.getCapabilities(kind)?.codecs.filter((codec) => {
    const format = codec.sdpFmtpLine ?? '';
    if (/VP9/i.test(codec.mimeType)) return format === '' || format.includes('profile-id=0');
    if (/H264/i.test(codec.mimeType)) {
      return format.includes('packetization-mode=1') && format.includes('42e01f');
    }
    return wanted.test(codec.mimeType);
  });
  if (codecs && codecs.length > 0) transceiver.setCodecPreferences?.(codecs);
}
