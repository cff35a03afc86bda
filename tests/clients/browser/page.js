// What runs in the page: the official TypeScript SDK, version 1, carrying out commands.

import { performer } from '../typescript/commands.js';
import { connect } from '../typescript/v1.js';

globalThis.perform = performer(connect);
