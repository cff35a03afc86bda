// Times, numbers and the API's words, as people read them.

import { h } from './dom.js';

// The pages speak English; the order of day and month follows the reader's kind of it.
const LOCALE = navigator.languages.find((language) => language.startsWith('en') && isTag(language)) ?? 'en-GB';
const NUMBER = new Intl.NumberFormat(LOCALE);
const COMPACT = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumFractionDigits: 1 });
const DATE = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric' });
const MOMENT = new Intl.DateTimeFormat(LOCALE, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
});
const EXACT = new Intl.DateTimeFormat(LOCALE, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
});
const CLOCK = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const HOUR = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const DAY = new Intl.DateTimeFormat(LOCALE, { weekday: 'short', day: 'numeric', month: 'short' });
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

export const count = (number) => NUMBER.format(number);
export const shortCount = (number) => (number < 10_000 ? NUMBER.format(number) : COMPACT.format(number));
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
export const clock = (date) => HOUR.format(date);
export const day = (date) => DAY.format(date);

/** Some systems hand out tags that no formatter takes, such as `en-US@posix`. */
function isTag(language) {
    try {
        return Intl.getCanonicalLocales(language).length > 0;
    } catch {
        return false;
    }
}

/** A time, local, with the exact UTC in `title`. `how` is `date`, `moment`, `exact`, `clock` or `ago`. */
export function time(text, how = 'moment') {
    const date = new Date(text);
    const words = {
        date: () => DATE.format(date),
        moment: () => MOMENT.format(date),
        exact: () => EXACT.format(date),
        clock: () => CLOCK.format(date),
        ago: () => relative(date),
    };
    return h(
        'time',
        {
            datetime: text,
            title: `${date
                .toISOString()
                .replace('T', ' ')
                .replace(/\.?0*Z$/, '')} UTC`,
            class: 'nowrap',
        },
        words[how](),
    );
}

function relative(date) {
    const seconds = (date - Date.now()) / 1000;
    const steps = [
        ['year', 31_557_600],
        ['month', 2_629_800],
        ['week', 604_800],
        ['day', 86_400],
        ['hour', 3600],
        ['minute', 60],
    ];
    const step = steps.find(([, length]) => Math.abs(seconds) >= length);
    return step ? RELATIVE.format(Math.trunc(seconds / step[1]), step[0]) : seconds > 0 ? 'in less than a minute' : 'just now';
}

/** What becomes of a request, by the API's word: as a label, as what its sender did, and what to tell them. */
export const OUTCOMES = {
    allowed: { label: 'Allowed with a key' },
    allowed_not_required: { label: 'Allowed, no key required' },
    denied_missing_key: {
        label: 'Refused: no key',
        who: 'sent no key',
        remedy: 'Add the header x-api-key with a key of this project to the server’s entry in the client’s configuration.',
    },
    denied_ambiguous_key: {
        label: 'Refused: more than one key',
        who: 'sent more than one key',
        remedy: 'Send exactly one key, in one x-api-key header.',
    },
    denied_malformed_key: {
        label: 'Refused: not a project key',
        who: 'sent something that is no project key',
        remedy: 'Check that the key is whole and begins with ak_. Keys of people, organisations and consumers do not open MCP servers.',
    },
    denied_unknown_key: {
        label: 'Refused: unknown key',
        who: 'sent a key that nobody has',
        remedy: 'The key is mistyped or from another system. Give them a key of this project.',
    },
    denied_revoked_key: {
        label: 'Refused: revoked key',
        who: 'sent a revoked key',
        remedy: 'Create a new key for whoever still uses the revoked one, or leave them locked out.',
    },
    denied_expired_key: {
        label: 'Refused: expired key',
        who: 'sent an expired key',
        remedy: 'Create a new key, or move the expiry of theirs.',
    },
    denied_disabled_key: {
        label: 'Refused: disabled key',
        who: 'sent a disabled key',
        remedy: 'Enable the key, or give them another one.',
    },
    denied_key_of_other_project: {
        label: 'Refused: key of another project',
        who: 'sent a key of another project',
        remedy: 'Only keys of this project open its MCP servers. Give them one.',
    },
};

/** The label of an outcome; one that is newer than this page is shown by its name. */
export function outcomeLabel(outcome) {
    return OUTCOMES[outcome]?.label ?? outcome.replaceAll('_', ' ');
}

/** The texts of the settings, as the product shows them. */
export const SETTINGS = {
    is_2FA_enabled: { title: 'Two-Factor Authentication', text: 'Require entity and connected account IDs for all actions.' },
    mask_secret_keys_in_connected_account: {
        title: 'Mask Connected Account Secrets',
        text: 'Hide sensitive information in connected account details.',
    },
    require_mcp_api_key: { title: 'Require API Key for MCP', text: 'Require API key authentication for MCP connections.' },
    log_visibility_setting: {
        title: 'Log storage configuration',
        text: 'Control how logs are stored in your project',
        values: { show_all: 'Store All Logs Data', dont_store_data: 'Don’t Store Data' },
    },
    display_name: { title: 'Display name' },
    logo_url: { title: 'Logo URL' },
    is_composio_link_enabled_for_managed_auth: { title: 'Hosted link for managed authentication' },
    signed_url_file_expiry_in_seconds: { title: 'Life of signed file URLs, in seconds' },
};

/** A setting's value in words. */
export function settingValue(name, value) {
    if (value === undefined || value === null) return 'not set';
    if (typeof value === 'boolean') return value ? 'enabled' : 'disabled';
    return SETTINGS[name]?.values?.[value] ?? String(value);
}
