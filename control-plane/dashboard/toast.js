// Short messages about what was done. Screen readers speak them; they go by themselves.

import { h } from './dom.js';

const STAYS_MS = 6000;

/** Shows a message for a while. */
export function toast(text) {
    const message = h('div', { class: 'toast' }, text);
    place().replaceChildren(message);
    setTimeout(() => message.remove(), STAYS_MS);
}

/** Goes on showing the messages of a dialog that has closed. */
export function carryOver(toasts) {
    if (toasts.hasChildNodes()) place().replaceChildren(...toasts.childNodes);
}

function place() {
    return [...document.querySelectorAll('dialog[open] .toasts')].at(-1) ?? document.getElementById('toasts');
}

/** Tells screen readers something that others see anyway. */
export function say(text) {
    document.getElementById('said').textContent = text;
}
