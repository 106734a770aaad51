// The parts of the page that are functions of their input, bundled for page-parts.test.mjs.
export * as config from '../../web/src/config';
export * as jingle from '../../web/src/jingle';
export * as management from '../../web/src/management';
export * as refusal from '../../web/src/refusal';
export * as sdp from '../../web/src/sdp';
export * as xml from '../../web/src/xml';
export * as xmpp from '../../web/src/xmpp';
export * as grid from '../../web/src/view/grid';
