// The program of the official TypeScript SDK, version 2.

import { performer } from './commands.js';
import { serve } from './serve.js';
import { connect } from './v2.js';

await serve(performer(connect));
