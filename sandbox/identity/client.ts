/** What the sandbox calls its providers, and how the app proves itself to them: a stand-in’s word, and no secret. */
export const sandboxClient = { clientId: 'homing', clientSecret: 'the sandbox lets anybody in' };
