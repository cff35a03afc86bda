// Dialogs, on the browser's own <dialog>: it holds the focus, closes on Escape and gives the focus back.

import { h, put, freshId } from './dom.js';
import { busy, button } from './button.js';
import { showFailure } from './failure.js';
import { complain } from './field.js';
import { hold, release } from './hold.js';
import { moveToasts } from './toast.js';

/** Opens a dialog. Returns `close` and `show`, which puts something else into it. `onleave` may keep it open by returning true. */
export function openDialog({ title, body, foot, wide = false, onclose = () => {}, onleave = () => false }) {
    const titleId = freshId('dialog-title');
    const head = h('h2', { id: titleId, tabindex: '-1' }, title);
    const main = h('div', { class: 'dialog-body' }, body);
    // What lies outside of an open dialog is not spoken: it has a place for messages of its own.
    const toasts = h('div', { class: 'toasts', role: 'status' });
    const bottom = h('div', { class: 'dialog-foot' }, foot);
    const element = h(
        'dialog',
        { class: wide ? 'dialog wide' : 'dialog', 'aria-labelledby': titleId },
        h('div', { class: 'dialog-head' }, head),
        main,
        bottom,
        toasts,
    );
    const before = document.activeElement;
    let working = false;
    const stays = () => working || onleave();
    element.addEventListener('cancel', (event) => {
        if (event.target === element && stays()) event.preventDefault();
    });
    // A browser may close at the second Escape whatever `cancel` says; it does not when the key itself is taken.
    element.addEventListener('keydown', (event) => {
        if (event.key === 'Escape' && working) event.preventDefault();
    });
    element.addEventListener('close', (event) => {
        if (event.target !== element) return;
        moveToasts(toasts);
        element.remove();
        onclose();
        // What opened it may be gone, when the page was drawn anew.
        if (!before?.isConnected) document.querySelector('h1')?.focus();
    });
    document.body.append(element);
    element.showModal();
    return {
        element,
        close: () => element.close(),
        /** Closes it, unless it is to stay. */
        leave: () => !stays() && element.close(),
        /** Does something during which it cannot be closed. */
        async work(act) {
            working = true;
            hold(main);
            try {
                await act();
            } finally {
                working = false;
                release(main);
            }
        },
        show(next) {
            head.textContent = next.title;
            put(main, next.body);
            put(bottom, next.foot);
            element.classList.toggle('wide', next.wide ?? wide);
            element.scrollTop = 0;
            head.focus();
        },
    };
}

/** Closes all dialogs, when the page below them goes. */
export function closeDialogs() {
    for (const element of document.querySelectorAll('dialog[open]')) element.close();
}

/** Asks before something is done. `act` does it and may throw; the dialog closes when it has. */
export function confirm({ title, body, label, danger = false, act, ...options }) {
    return ask({ title, body, label, kind: danger ? 'danger' : 'primary', submit: act, ...options });
}

/**
 * A form in a dialog. `submit` sends it and may throw a `Failure`, whose errors go beside the fields they name. What it
 * returns, if anything, is shown in the dialog in place of the form.
 */
export function ask({ title, body, fields = [], label, kind = 'primary', submit, cancel = 'Cancel', ...options }) {
    const problem = h('div');
    // Without a field the heading has the focus, so that the question is read before it is answered.
    fields[0]?.input.setAttribute('autofocus', '');
    const form = h(
        'form',
        { class: 'stack', novalidate: true, id: freshId('form') },
        body,
        fields.map((one) => one.element),
        problem,
    );
    const send = h('button', { type: 'submit', class: `button ${kind}`, form: form.id }, label);
    const away = button(cancel, { onclick: () => dialog.leave() });
    const dialog = openDialog({ title, body: form, foot: [away, send], ...options });
    /** Until the answer is there nobody can know whether it was done, so nobody can leave. */
    const work = (act) =>
        dialog.work(async () => {
            away.disabled = true;
            try {
                await act();
            } finally {
                away.disabled = false;
            }
        });
    form.addEventListener('submit', (event) => {
        event.preventDefault();
        busy(send, async () => {
            showFailure(problem, null);
            if (!complete(fields)) return;
            try {
                await work(async () => {
                    const next = await submit();
                    if (next) dialog.show(next);
                    else dialog.close();
                });
            } catch (failure) {
                showFailure(problem, complain(fields, failure));
            }
        });
    });
    /** Keeps the form from being sent while `held`. */
    const holdBack = (held) => {
        send.disabled = held;
    };
    return { ...dialog, holdBack };
}

/** Whether all fields that must be filled in are; complains about those that are not. */
function complete(fields) {
    for (const one of fields) one.complain(one.input.required && !one.value.trim() ? 'Fill this in.' : '');
    const first = fields.find((one) => one.input.required && !one.value.trim());
    first?.input.focus();
    return !first;
}
