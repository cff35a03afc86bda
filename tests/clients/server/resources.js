// The resources and prompts that the conformance suite reads by name. They know no SDK.

import { PNG, image, resource, text } from './content.js';
import { inputRequiredPrompt } from './input-required-tools.js';

export const resources = [
    { uri: 'test://static-text', name: 'static text', description: 'A text', mimeType: 'text/plain' },
    { uri: 'test://static-binary', name: 'static binary', description: 'An image', mimeType: 'image/png' },
    { uri: 'test://watched-resource', name: 'watched', description: 'Can be watched', mimeType: 'text/plain' }
];

export const templates = [
    {
        uriTemplate: 'test://template/{id}/data',
        name: 'template',
        description: 'Data by id',
        mimeType: 'application/json'
    }
];

/** What `uri` holds; `undefined` when there is none. */
export function read(uri) {
    const whole = (mimeType, rest) => ({ contents: [{ uri, mimeType, ...rest }] });
    const [, id] = /^test:\/\/template\/([^/]+)\/data$/.exec(uri) ?? [];
    if (id !== undefined) {
        const data = { id, templateTest: true, data: `Data for ID: ${id}` };
        return whole('application/json', { text: JSON.stringify(data) });
    }
    switch (uri) {
        case 'test://static-text':
            return whole('text/plain', { text: 'This is the content of the static text resource.' });
        case 'test://static-binary':
            return whole('image/png', { blob: PNG });
        case 'test://watched-resource':
            return whole('text/plain', { text: 'watched' });
        default:
            return undefined;
    }
}

const user = (content) => ({ role: 'user', content });
const argument = (name, description) => ({ name, description, required: true });

export const prompts = {
    test_simple_prompt: {
        description: 'A prompt without arguments',
        get: () => ({ messages: [user(text('This is a simple prompt for testing.'))] })
    },
    test_prompt_with_arguments: {
        description: 'A prompt with arguments',
        arguments: [argument('arg1', 'First test argument'), argument('arg2', 'Second test argument')],
        get: ({ arg1, arg2 }) => ({
            messages: [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))]
        })
    },
    test_prompt_with_embedded_resource: {
        description: 'A prompt that holds a resource',
        arguments: [argument('resourceUri', 'URI of the resource to embed')],
        get: ({ resourceUri }) => ({
            messages: [
                user(resource(resourceUri, 'text/plain', 'Embedded resource content for testing.')),
                user(text('Please process the embedded resource above.'))
            ]
        })
    },
    test_prompt_with_image: {
        description: 'A prompt that holds an image',
        get: () => ({ messages: [user(image()), user(text('Please analyze the image above.'))] })
    }
};

export const modernPrompts = { ...prompts, test_input_required_result_prompt: inputRequiredPrompt };

/** Prompts as `prompts/list` shows them. */
export const listPrompts = (all) =>
    Object.entries(all).map(([name, { description, arguments: args }]) => ({
        name,
        description,
        ...(args ? { arguments: args } : {})
    }));
