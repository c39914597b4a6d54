import type { Words } from './words.ts';

const count = '{count, plural, one {# mensaje nuevo} other {# mensajes nuevos}}';
const several = `${count} en {conversations, plural, one {# conversación} other {# conversaciones}}`;

export const es: Words = {
  direction: 'ltr',
  push: {
    messages: '{count, plural, one {Mensaje nuevo} other {# mensajes nuevos}}',
    messageFrom: 'Mensaje nuevo de {sender}',
  },
  email: {
    subjectFrom: `${count} de {name}`,
    subjectIn: `${count} en {name}`,
    subjectSeveral: several,
    more: 'y {count} más',
    open: 'Abrir la conversación',
    why: 'Recibes este correo porque no habías leído estos mensajes.',
    unsubscribe: 'No recibir más correos sobre mensajes sin leer',
    codeSubject: 'Tu código de Homing',
    code: '{code} es tu código de Homing. Vale durante {minutes} minutos.',
    ignore: 'Si no lo has pedido, no tienes que hacer nada.',
  },
  sms: {
    messages: `Homing: ${count}. Abrir: {link}`,
    // GSM-7 has no ó, and one conversation is not several.
    messagesSeveral: `Homing: ${count} en {conversations} conversaciones. Abrir: {link}`,
    code: '{code} es tu clave de Homing. Vale durante {minutes} minutos.',
  },
};
