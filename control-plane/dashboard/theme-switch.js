// The choice between the system's theme, light and dark. It is kept in the browser.

import { segments } from './segments.js';

/** The choice, as a group of radio buttons. */
export function themeSwitch() {
    return segments({
        label: 'Theme',
        name: 'theme',
        value: document.documentElement.dataset.theme ?? 'system',
        options: [
            ['system', 'System'],
            ['light', 'Light'],
            ['dark', 'Dark'],
        ],
        wide: true,
        onchange: choose,
    });
}

function choose(theme) {
    const root = document.documentElement;
    if (theme === 'system') delete root.dataset.theme;
    else root.dataset.theme = theme;
    try {
        if (theme === 'system') localStorage.removeItem('theme');
        else localStorage.setItem('theme', theme);
    } catch {
        // Then it holds until the page is left.
    }
}
