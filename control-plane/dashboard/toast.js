// Short messages about what was done. Screen readers speak them; they go by themselves.

import { h } from './dom.js';

const STAYS_MS = 6000;

/** Shows a message for a while; returns its element. */
export function toast(text) {
    const message = h('div', { class: 'toast' }, text);
    place().replaceChildren(message);
    setTimeout(() => message.remove(), STAYS_MS);
    return message;
}

/** Moves the messages of a dialog that closes to where they are still seen. */
export function moveToasts(from) {
    if (from.childElementCount > 0) place().replaceChildren(...from.children);
}

/** What lies outside of an open dialog is neither seen nor spoken. */
function place() {
    return [...document.querySelectorAll('dialog[open] .toasts')].at(-1) ?? document.getElementById('toasts');
}

/** Tells screen readers something that others see anyway. */
export function say(text) {
    document.getElementById('said').textContent = text;
}
