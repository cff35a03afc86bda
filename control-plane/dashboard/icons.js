// The few icons, drawn in the text's colour. They say nothing that the text beside them does not say.

import { svg } from './dom.js';

const PATHS = {
    settings: ['M4 6h9M17 6h3M4 12h3M11 12h9M4 18h9M17 18h3', 'M15 4v4M9 10v4M15 16v4'],
    keys: ['M14.5 9.5a4.5 4.5 0 1 1-2-3.74 4.5 4.5 0 0 1 2 3.74Z', 'M13.2 12.7 20 19.5M17 16.5l2-2M14.8 14.3l1.4-1.4'],
    servers: ['M4 5.5h16v5H4zM4 13.5h16v5H4z', 'M7.5 8h.01M7.5 16h.01M11 8h5.5M11 16h5.5'],
    usage: ['M4 20h16', 'M6.5 16.5v-4M11 16.5v-9M15.5 16.5v-6M19 16.5V5'],
    audit: ['M6 4h9l4 4v12H6z', 'M9 11h7M9 14.5h7M9 7.5h3'],
    projects: ['M4 7.5h6l2 2h8V19H4z'],
    menu: ['M4 7h16M4 12h16M4 17h16'],
    more: ['M6 12h.01M12 12h.01M18 12h.01'],
    chevron: ['m8 10 4 4 4-4'],
    copy: ['M9 9h10v10H9z', 'M15 6V5H5v10h1'],
    plus: ['M12 5v14M5 12h14'],
};

/** The icon of that name, hidden from screen readers. */
export function icon(name, size = 18) {
    const stroke = name === 'more' ? 2.6 : 1.7;
    return svg(
        'svg',
        {
            viewBox: '0 0 24 24',
            width: size,
            height: size,
            fill: 'none',
            stroke: 'currentColor',
            'stroke-width': stroke,
            'stroke-linecap': 'round',
            'stroke-linejoin': 'round',
            'aria-hidden': 'true',
        },
        PATHS[name].map((d) => svg('path', { d })),
    );
}
