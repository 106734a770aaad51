// Building and changing the page without a framework. Text is always text, never markup.

type Handler = (event: never) => void;
type Value = string | number | boolean | null | undefined | Handler;
export type Child = Node | string | null | undefined | false | Child[];

/** Creates an element. Functions become listeners, "testid" the stable name for tests. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K, props: Record<string, Value> = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(key, value as EventListener);
    else if (key === 'testid') element.dataset.testid = String(value);
    else element.setAttribute(key, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

function append(parent: Element, children: Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) append(parent, child);
    else if (child !== null && child !== undefined && child !== false) parent.append(child);
  }
}

export function replace(parent: Element, ...children: Child[]): void {
  parent.textContent = '';
  append(parent, children);
}

/** Sets a text only where it changed, so that readers of the page are not told twice. */
export function setText(element: Element, words: string): void {
  if (element.textContent !== words) element.textContent = words;
}

export function show(element: HTMLElement, visible: boolean): void {
  element.hidden = !visible;
}

/** Shows one track, or nothing; a track that is there already plays on. */
export function setVideo(video: HTMLVideoElement, track: MediaStreamTrack | null): void {
  const now = video.srcObject instanceof MediaStream ? video.srcObject.getTracks()[0] ?? null : null;
  if (now === track) return;
  video.srcObject = track ? new MediaStream([track]) : null;
  if (track) video.play().catch(() => undefined);
}

/** Keeps one child per key in the order given, and reuses what is there. */
export function keyed<T>(parent: Element, items: T[], key: (item: T) => string,
  signature: (item: T) => string, build: (item: T) => HTMLElement): void {
  const old = new Map<string, HTMLElement>();
  for (const child of Array.from(parent.children) as HTMLElement[]) {
    old.set(child.dataset.key ?? '', child);
  }
  let place: Element | null = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    const stamp = signature(item);
    let element = old.get(name);
    old.delete(name);
    if (!element || element.dataset.stamp !== stamp) {
      const fresh = build(item);
      fresh.dataset.key = name;
      fresh.dataset.stamp = stamp;
      if (element) {
        if (place === element) place = fresh;
        const focus = element.contains(document.activeElement)
          ? (document.activeElement as HTMLElement).dataset.testid : undefined;
        element.replaceWith(fresh);
        if (focus) fresh.querySelector<HTMLElement>(`[data-testid="${focus}"]`)?.focus();
      }
      element = fresh;
    }
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const gone of old.values()) gone.remove();
}

export function closeDialogs(): void {
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
}

export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement
  && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
