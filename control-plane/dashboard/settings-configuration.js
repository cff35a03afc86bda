// The tab Project Configuration: its four rows. The one that locks the project asks before it does anything.

import { busy } from './button.js';
import { h } from './dom.js';
import { enforcementPanel } from './enforcement-panel.js';
import { askToLock, askToUnlock } from './lock-dialogs.js';
import { showFailure } from './failure.js';
import { select } from './field.js';
import { switchWithBadge } from './switch.js';
import { toast } from './toast.js';
import { SETTINGS, settingValue } from './words.js';

const LOCK = 'require_mcp_api_key';

/** What the tab holds. */
export function configurationTab(context) {
    return h(
        'section',
        { class: 'card', 'aria-label': 'Project Configuration' },
        plainSwitch(context, 'is_2FA_enabled'),
        plainSwitch(context, 'mask_secret_keys_in_connected_account'),
        lockSwitch(context),
        logStorage(context),
    );
}

function row(name, control, more = null, { tall = false } = {}) {
    const { title, text } = SETTINGS[name];
    return h(
        'div',
        { class: tall ? 'settings-row tall' : 'settings-row', 'data-setting': name },
        h('div', {}, h('h2', { id: `${name}-title` }, title), h('p', { id: `${name}-text` }, text)),
        control,
        more,
    );
}

function plainSwitch({ settings, change }, name) {
    const problem = h('div', { class: 'problem-place' });
    const { title } = SETTINGS[name];
    const view = switchWithBadge({
        id: name.replaceAll('_', '-'),
        label: title,
        describedby: `${name}-text`,
        on: settings.config[name],
        onpress: () =>
            busy(view.control, async () => {
                showFailure(problem, null);
                try {
                    if (!(await change({ [name]: !settings.config[name] }))) return;
                    view.show(settings.config[name]);
                    toast(`${title}: ${settingValue(name, settings.config[name])}.`);
                } catch (failure) {
                    showFailure(problem, failure, { title: 'The setting was not changed' });
                }
            }),
    });
    return row(name, [view.element, problem]);
}

function lockSwitch(context) {
    const { settings, change } = context;
    const panel = enforcementPanel(context);
    const flip = async (on) => {
        if (!(await change({ [LOCK]: on }))) return;
        view.show(settings.config[LOCK]);
        toast(on ? 'MCP requests now need an API key.' : 'MCP requests need no API key any more.');
        panel.refresh(settings.revision);
    };
    const view = switchWithBadge({
        id: 'require-mcp-api-key',
        label: SETTINGS[LOCK].title,
        describedby: `${LOCK}-text`,
        on: settings.config[LOCK],
        onpress: () => (settings.config[LOCK] ? askToUnlock(context, () => flip(false)) : askToLock(context, () => flip(true))),
    });
    return row(LOCK, view.element, panel.element);
}

function logStorage({ settings, change }) {
    const name = 'log_visibility_setting';
    const { title, values } = SETTINGS[name];
    const problem = h('div', { class: 'problem-place' });
    const control = select({
        id: 'log-storage',
        fit: true,
        'aria-label': title,
        'aria-describedby': `${name}-text`,
        options: Object.entries(values),
        value: settings.config[name],
    });
    control.addEventListener('change', () =>
        busy(control, async () => {
            showFailure(problem, null);
            try {
                if (await change({ [name]: control.value })) toast(`${title}: ${settingValue(name, control.value)}.`);
            } catch (failure) {
                control.value = settings.config[name];
                showFailure(problem, failure, { title: 'The setting was not changed' });
            }
        }),
    );
    return row(name, [h('div', { class: 'control' }, control), problem], null, { tall: true });
}
