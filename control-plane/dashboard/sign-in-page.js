// The page where somebody signs in with a key. The key is sent once and kept nowhere in the browser.

import { busy, button } from './button.js';
import { h, put } from './dom.js';
import { failureNotice, sentence } from './failure.js';
import { complain, field } from './field.js';
import { brand } from './shell.js';
import { themeSwitch } from './theme-switch.js';

/** `failure` says why a session has ended, if one has; `signIn` is given the key and may throw a failure. */
export function signInPage({ failure, message, signIn }) {
    const key = field({
        label: 'API key',
        name: 'api_key',
        id: 'sign-in-key',
        hint: 'A project key (ak_…), or an organisation key (oak_…) for all its projects.',
        type: 'password',
        class: 'input mono',
        autocomplete: 'off',
        autocapitalize: 'none',
        required: true,
        autofocus: true,
    });
    const reveal = button('Show', { 'aria-label': 'Show the key', onclick: () => toggle() });
    const line = h('div', { class: 'with-button' });
    key.input.replaceWith(line);
    line.append(key.input, reveal);
    const problem = h('div', {}, failure && ended(failure), message && h('p', { class: 'notice', role: 'status' }, message));
    const send = h('button', { type: 'submit', class: 'button primary' }, 'Sign in');
    const form = h('form', { novalidate: true }, problem, key.element, send);

    form.addEventListener('submit', (event) => {
        event.preventDefault();
        const value = key.value.trim();
        key.complain(value ? '' : 'Enter a key.');
        if (!value) return key.input.focus();
        busy(send, async () => {
            put(problem);
            try {
                await signIn(value);
            } catch (refused) {
                refuse(refused);
            }
        });
    });

    function refuse(refused) {
        if (refused.status === 429) wait(refused.retryAfter ?? 30);
        // The API speaks of a header there, which nobody has seen here.
        if (refused.status === 401)
            refused.fix = 'check that you pasted the whole key, and that it is neither revoked, disabled nor expired';
        const rest = complain([key], refused);
        if (rest)
            put(problem, failureNotice(rest, { title: refused.status === 429 ? 'Too many attempts' : 'You are not signed in' }));
        key.input.focus();
        key.input.select();
    }

    function wait(seconds) {
        const until = Date.now() + seconds * 1000;
        const tick = () => {
            const left = Math.ceil((until - Date.now()) / 1000);
            send.disabled = left > 0;
            send.textContent = left > 0 ? `Sign in again in ${left} s` : 'Sign in';
            if (left > 0 && send.isConnected) setTimeout(tick, 250);
        };
        tick();
    }

    function toggle() {
        const hidden = key.input.type === 'password';
        key.input.type = hidden ? 'text' : 'password';
        reveal.textContent = hidden ? 'Hide' : 'Show';
        reveal.setAttribute('aria-label', hidden ? 'Hide the key' : 'Show the key');
    }

    queueMicrotask(() => key.input.focus());
    return h(
        'main',
        { class: 'sign-in' },
        h(
            'div',
            { class: 'sign-in-box' },
            brand('div'),
            h(
                'div',
                { class: 'card' },
                h('h1', {}, 'Sign in'),
                h('p', { class: 'quiet' }, 'Settings, API keys and usage of your MCP servers.'),
                form,
            ),
            h('div', { class: 'foot' }, themeSwitch()),
        ),
    );
}

function ended(failure) {
    return h(
        'div',
        { class: 'notice warn', role: 'alert' },
        h('p', { class: 'title' }, 'Your session has ended'),
        failure.slug === 'SESSION_MISSING'
            ? h(
                  'p',
                  {},
                  'It has expired, or you signed out in another tab, or the key that you signed in with was revoked or disabled or has expired.',
              )
            : h('p', {}, sentence(failure.message)),
        h('p', {}, 'Sign in again to go on where you were.'),
    );
}
