import type { Words } from './words.ts';

const count = '{count, plural, one {# mensaje nuevo} other {# mensajes nuevos}}';
const several = `${count} en {conversations, plural, one {# conversación} other {# conversaciones}}`;

const unreadAfter =
  '{minutes, plural, =0 {No lo habías leído poco después de escribirse.} one {No lo habías leído un minuto después de escribirse.} other {No lo habías leído # minutos después de escribirse.}}';

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
    resetSubject: 'Una contraseña nueva para Homing',
    reset: 'Elige una contraseña nueva en {minutes} minutos: {link}',
    resetIgnore: 'Si no lo has pedido, no tienes que hacer nada: tu contraseña sigue como está.',
    passwordChangedSubject: 'Se ha cambiado tu contraseña de Homing',
    passwordChanged:
      'Se ha cambiado tu contraseña de Homing. Si no has sido tú, pide otra enseguida donde inicias sesión: eso cierra todas las sesiones.',
    haveAccountSubject: 'Ya tienes una cuenta de Homing',
    haveAccount:
      'Alguien ha pedido un código para usar esta dirección con otra cuenta. Es de la tuya: inicia sesión con ella, o pide una contraseña nueva donde inicias sesión.',
    haveAccountIgnore: 'Si no has sido tú, no tienes que hacer nada: nadie puede usar tu dirección sin leer tu correo.',
    signInSubject: 'Nuevo inicio de sesión en Homing',
    signIn: 'Alguien ha iniciado sesión en tu cuenta de Homing desde un dispositivo o una red nuevos: {at}.',
    signInRemedy:
      'Si has sido tú, no tienes que hacer nada. Si no, cierra esa sesión en la aplicación y cambia tu contraseña.',
  },
  account: {
    subject: 'Algo ha cambiado en tu forma de entrar en Homing',
    ifNotYou: 'Si no has sido tú, entra ahora, cambia tu contraseña y cierra las sesiones que no conozcas.',
    totp_added: 'Se ha activado una aplicación de autenticación en tu cuenta de Homing.',
    totp_removed: 'Se ha desactivado la aplicación de autenticación de tu cuenta de Homing.',
    passkey_added: 'Se ha añadido una llave de acceso a tu cuenta de Homing.',
    passkey_removed: 'Se ha quitado una llave de acceso de tu cuenta de Homing.',
    identity_added: 'Se ha vinculado una cuenta externa a tu cuenta de Homing: con ella se puede entrar en tu nombre.',
    identity_removed: 'Una cuenta externa ya no puede entrar en tu cuenta de Homing.',
    recovery_codes_renewed:
      'Se han creado nuevos códigos de recuperación para tu cuenta de Homing. Los anteriores ya no sirven.',
    recovery_code_used:
      'Se ha usado uno de tus códigos de recuperación para entrar en tu cuenta de Homing o para demostrar que es tuya.',
    factors_removed:
      'Un administrador ha quitado los segundos factores de tu cuenta de Homing y ha cerrado todas tus sesiones.',
    token_made: 'Se ha creado un token de acceso para un programa en tu cuenta de Homing o en un bot tuyo.',
    contact_changed:
      'Se ha añadido una dirección de correo o un número de teléfono a tu cuenta de Homing, o se ha cambiado por otro.',
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
  resetPage: {
    explain:
      'Al menos {min} caracteres, y no lo primero que otros adivinarían. Todas las sesiones terminan: después, inicia sesión de nuevo.',
    password: 'Contraseña nueva',
    save: 'Guardar la contraseña',
    noScript: 'Esta página necesita JavaScript: sin él, la parte secreta del enlace no nos llega.',
    done: 'Tu contraseña nueva está guardada. Ya puedes iniciar sesión con ella.',
    expired: 'Este enlace ya se usó, ha caducado o no está completo. Pide uno nuevo al iniciar sesión.',
    weak: 'Elige otra: de {min} a {max} caracteres, y que no sea tu nombre, tu dirección ni algo fácil de adivinar.',
    failed: 'No ha funcionado. Inténtalo de nuevo en un momento.',
  },
  openPage: {
    title: 'Tienes mensajes nuevos',
    text: 'Abre Homing para leerlos.',
  },
  signedInPage: {
    title: 'Vuelve a la aplicación',
    text: 'Aquí no continúa tu inicio de sesión. Cierra esta página y vuelve a la aplicación de la que vienes.',
  },
  why: {
    question: '¿Por qué he recibido esto?',
    told: 'Cuando se envió, no habías leído {count, plural, =0 {mensajes que ya no existen.} one {# mensaje:} other {# mensajes:}}',
    waiting: 'Hacía una semana que no entrabas. Esto te esperaba:',
    inGroup: '{count, plural, one {# mensaje} other {# mensajes}} en {name}',
    fromPerson: '{count, plural, one {# mensaje} other {# mensajes}} de {name}',
    elsewhere: '{count, plural, one {# mensaje} other {# mensajes}} donde ya no participas',
    written: 'Escrito: {from}.',
    writtenBetween: 'Escrito: de {from} a {to}.',
    sent: 'Enviado: {at}.',
    urgent: 'Algo de esto es urgente, y lo urgente llega antes.',
    gone: 'No se sabe nada más: lo que se decidió se guarda durante 90 días.',
    fewer: 'Para recibir menos correos',
  },
  because: {
    due: unreadAfter,
    weekly_summary: 'Una vez por semana un correo dice lo que espera, si no has entrado.',
    burst_window: 'Llegó un momento después de escribirse, para avisar junto de lo que llega junto.',
    presence_grace: 'Tenías actividad en un dispositivo y un momento para leerlo allí antes.',
    focused_grace: 'Tenías abierta la conversación y un momento para leerlo allí antes.',
    idle_grace: 'Tenías conexión, pero no actividad, así que llegó tras un breve momento.',
    awaiting_acknowledgement: 'Tu aplicación estaba conectada, pero no había dicho que tuviera el mensaje.',
    re_alert_gap: 'Guardó distancia con el aviso anterior.',
    quiet_hours: 'Esperó al final de tus horas de silencio.',
    do_not_disturb: 'Esperó al final del tiempo en que no querías que te molestaran.',
    sms_night: 'Esperó a la mañana: de noche no se envía ningún SMS.',
    breaker_open: 'No se pudo enviar antes: el servicio que lo envía no funcionaba.',
    provider_recovering: 'No se pudo enviar antes: el servicio que lo envía no funcionaba.',
    step_delay: unreadAfter,
    reminder_gap: 'Ya se te había avisado y seguía sin leer, así que este aviso guardó distancia.',
    urgent_repeat: 'Es urgente y no lo habías leído, así que llegó otra vez.',
    cap_user: 'Habías recibido tantos como llegan en una hora o un día, así que esperó hasta que hubo sitio.',
    cap_org_sms: 'Ese día ya no se enviaban más SMS, así que esperó al siguiente.',
    next_digest:
      '{frequency, select, hourly {Se reunió para tu correo de cada hora.} daily {Se reunió para tu correo de cada día.} other {Se reunió con otros en un solo correo.}}',
  },
  unpushed: {
    no_device: 'No se podía enviar un aviso a ninguno de tus dispositivos.',
    device_off: 'Habías desactivado los avisos en todos tus dispositivos.',
    push_permission_denied: 'Tus dispositivos no permitían avisos.',
    devices_suspect: 'Los avisos no llegaban a tus dispositivos.',
    channel_off: 'Habías desactivado los avisos en tus dispositivos.',
    channel_off_here: 'Habías desactivado los avisos de esta conversación en tus dispositivos.',
    already_announced: 'Ya te había llegado un aviso al dispositivo, y seguía sin leer.',
    breaker_open: 'En ese momento no se podían enviar avisos a los dispositivos.',
    provider_recovering: 'En ese momento no se podían enviar avisos a los dispositivos.',
    needs_operator: 'En ese momento no se podían enviar avisos a los dispositivos.',
    quiet_hours: 'Los avisos a tus dispositivos esperaban al final de tus horas de silencio.',
    do_not_disturb: 'Los avisos a tus dispositivos esperaban al final del tiempo en que no querías que te molestaran.',
  },
  sms: {
    messages: `Homing: ${count}. Abrir: {link}`,
    // GSM-7 has no ó, and one conversation is not several.
    messagesSeveral: `Homing: ${count} en {conversations} conversaciones. Abrir: {link}`,
    code: '{code} es tu clave de Homing. Vale durante {minutes} minutos.',
    reset: 'Homing: elige una clave nueva en {minutes} minutos: {link}',
    passwordChanged: 'Se ha cambiado tu clave de Homing. Si no lo has hecho, pide otra enseguida donde entras.',
    signIn:
      'Nuevo inicio de sesión en tu cuenta de Homing, con dispositivo o red nuevos. Si no has sido tú, cambia tu contraseña.',
    haveAccount:
      'Han pedido un acceso a Homing con este contacto. Ya es de tu cuenta: entra con él. Si no lo has pedido, no hagas nada.',
    totp_added: 'Se ha activado una app para entrar en tu cuenta de Homing. Si no has sido, cambia ya tu clave.',
    totp_removed: 'Se ha desactivado la app para entrar en tu cuenta de Homing. Si no has sido, cambia ya tu clave.',
    passkey_added: 'Se ha añadido una llave de acceso a tu cuenta de Homing. Si no has sido, cambia ya tu clave.',
    passkey_removed: 'Se ha quitado una llave de acceso de tu cuenta de Homing. Si no has sido, cambia ya tu clave.',
    identity_added: 'Se ha vinculado otra cuenta a tu cuenta de Homing. Si no has sido, cambia ya tu clave.',
    identity_removed: 'Se ha desvinculado otra cuenta de tu cuenta de Homing. Si no has sido, cambia ya tu clave.',
    recovery_codes_renewed: 'Hay nuevas claves para recuperar tu cuenta de Homing. Si no has sido, cambia ya tu clave.',
    recovery_code_used: 'Se ha usado una clave para recuperar tu cuenta de Homing. Si no has sido, cambia ya tu clave.',
    factors_removed: 'Se han quitado los segundos factores de tu cuenta de Homing. Si no has sido, cambia ya tu clave.',
    token_made: 'Se ha creado un token en tu cuenta de Homing o en un bot tuyo. Si no has sido, cambia ya tu clave.',
    contact_changed:
      'Se ha cambiado o puesto un correo o tel. en tu cuenta de Homing. Si no has sido, cambia ya tu clave.',
  },
};
