// The own camera and microphone: asked for, switched, chosen; a missing device is a state, no error.

export type Kind = 'audio' | 'video';

export type Trouble = '' | 'insecure' | 'denied' | 'missing' | 'busy' | 'failed';

const WORDS: Record<Kind, Record<Exclude<Trouble, ''>, string>> = {
  audio: {
    insecure: 'The browser gives the microphone only to pages over HTTPS or on localhost.',
    denied: 'The browser was not allowed to use the microphone.',
    missing: 'No microphone was found.',
    busy: 'The microphone is in use by another program.',
    failed: 'The microphone could not be started.',
  },
  video: {
    insecure: 'The browser gives the camera only to pages over HTTPS or on localhost.',
    denied: 'The browser was not allowed to use the camera.',
    missing: 'No camera was found.',
    busy: 'The camera is in use by another program.',
    failed: 'The camera could not be started.',
  },
};

export const troubleWords = (kind: Kind, trouble: Trouble): string =>
  (trouble === '' ? '' : WORDS[kind][trouble]);

function troubleOf(error: unknown): Trouble {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing';
  return name === 'NotReadableError' || name === 'AbortError' ? 'busy' : 'failed';
}

export class LocalMedia {
  readonly tracks: { audio: MediaStreamTrack | null; video: MediaStreamTrack | null } =
    { audio: null, video: null };
  readonly trouble: Record<Kind, Trouble> = { audio: '', video: '' };
  readonly chosen: Record<Kind, string> = { audio: '', video: '' };
  /** Called after every change, also when a device was unplugged. */
  onChange: () => void = () => undefined;
  private wanted: Record<Kind, boolean> = { audio: false, video: false };

  /** On means: sound is being sent; picture is being sent. */
  isOn(kind: Kind): boolean {
    const track = this.tracks[kind];
    return track !== null && track.enabled;
  }

  /** Switches a device. The microphone stays open while muted, the camera (and its light) goes off. */
  async set(kind: Kind, on: boolean): Promise<boolean> {
    this.wanted[kind] = on;
    const track = this.tracks[kind];
    if (on && !track) await this.start(kind);
    else if (track && kind === 'audio') track.enabled = on;
    else if (track && !on) this.stop(kind);
    this.onChange();
    return this.isOn(kind) === on;
  }

  /** Asks for both with one question of the browser; what fails together is tried apart. */
  async open(audio: boolean, video: boolean): Promise<void> {
    if (audio && video && navigator.mediaDevices) {
      this.wanted = { audio, video };
      try {
        const stream = await navigator.mediaDevices.getUserMedia({
          audio: this.constraints('audio'), video: this.constraints('video'),
        });
        this.keep('audio', stream.getAudioTracks()[0] ?? null);
        this.keep('video', stream.getVideoTracks()[0] ?? null);
        this.onChange();
        return;
      } catch { /* apart, below */ }
    }
    if (audio) await this.set('audio', true);
    if (video) await this.set('video', true);
  }

  async choose(kind: Kind, deviceId: string): Promise<void> {
    this.chosen[kind] = deviceId;
    const on = this.isOn(kind);
    if (!this.tracks[kind]) return;
    this.stop(kind);
    this.wanted[kind] = true;
    await this.start(kind);
    this.wanted[kind] = on;
    const track = this.tracks[kind];
    if (track) track.enabled = on;
    this.onChange();
  }

  async devices(kind: Kind): Promise<MediaDeviceInfo[]> {
    if (!navigator.mediaDevices) return [];
    const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
    return all.filter((d) => d.kind === `${kind}input` && d.deviceId !== '');
  }

  private async start(kind: Kind): Promise<void> {
    if (!navigator.mediaDevices) {
      this.trouble[kind] = 'insecure';
      return;
    }
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ [kind]: this.constraints(kind) });
      this.keep(kind, stream.getTracks()[0] ?? null);
    } catch (error) {
      this.trouble[kind] = troubleOf(error);
      this.wanted[kind] = false;
    }
  }

  private constraints(kind: Kind): MediaTrackConstraints {
    const deviceId = this.chosen[kind] ? { exact: this.chosen[kind] } : undefined;
    return kind === 'audio'
      ? { deviceId, echoCancellation: true, noiseSuppression: true, autoGainControl: true }
      : { deviceId, width: { ideal: 1280 }, height: { ideal: 720 } };
  }

  private keep(kind: Kind, track: MediaStreamTrack | null): void {
    if (!this.wanted[kind] || this.tracks[kind]) {
      // Switched off again, or started twice, while the browser was asking.
      track?.stop();
      return;
    }
    this.tracks[kind] = track;
    this.trouble[kind] = '';
    if (track) track.onended = () => this.lost(kind);
  }

  private lost(kind: Kind): void {
    this.tracks[kind] = null;
    this.trouble[kind] = 'missing';
    this.onChange();
  }

  private stop(kind: Kind): void {
    const track = this.tracks[kind];
    if (!track) return;
    track.onended = null;
    track.stop();
    this.tracks[kind] = null;
  }
}
