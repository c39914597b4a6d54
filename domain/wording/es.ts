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
    earlier: 'Antes',
    preferences: 'Elegir cada cuánto llegan los correos',
    summarySubject: '{count, plural, one {# mensaje sin leer te espera} other {# mensajes sin leer te esperan}}',
    summaryIntro: 'Hace una semana que no entras. Esto es lo que te espera.',
    waiting: '{count, plural, one {# mensaje sin leer} other {# mensajes sin leer}}',
    codeSubject: 'Tu código de Homing',
    code: '{code} es tu código de Homing. Vale durante {minutes} minutos.',
    ignore: 'Si no lo has pedido, no tienes que hacer nada.',
  },
  page: {
    title: 'Correos de Homing',
    to: 'Correos sobre mensajes sin leer a {address}',
    frequency: 'Con qué frecuencia',
    immediate: 'Por cada conversación, un rato después de un mensaje',
    hourly: 'Reunidos, una vez por hora',
    daily: 'Reunidos, una vez al día',
    off: 'Nunca',
    at: 'Hora del día',
    weekly: 'Una vez por semana lo que espera, si hace una semana que no entro',
    conversations: 'Conversaciones de este correo',
    conversation: 'Correos sobre {name}',
    save: 'Guardar',
    saved: 'Guardado.',
    unsubscribe: 'Ningún correo más',
    unsubscribeWhy: 'Esto termina todos los correos sobre mensajes sin leer, sea lo que sea lo elegido arriba.',
    unsubscribed:
      'A esta dirección no llegan más correos sobre mensajes sin leer. Para recibirlos de nuevo, abre los ajustes en la aplicación.',
    question: '¿Ningún correo más sobre mensajes sin leer?',
    rather: 'Elegir mejor cada cuánto llegan',
  },
  sms: {
    messages: `Homing: ${count}. Abrir: {link}`,
    // GSM-7 has no ó, and one conversation is not several.
    messagesSeveral: `Homing: ${count} en {conversations} conversaciones. Abrir: {link}`,
    code: '{code} es tu clave de Homing. Vale durante {minutes} minutos.',
  },
};
