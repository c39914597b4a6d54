import type { Words } from './words.ts';

const count = '{count, plural, one {# neue Nachricht} other {# neue Nachrichten}}';
const several = `${count} in {conversations, plural, one {# Unterhaltung} other {# Unterhaltungen}}`;

const unreadAfter =
  '{minutes, plural, =0 {Du hattest es kurz nach dem Schreiben nicht gelesen.} one {Du hattest es eine Minute nach dem Schreiben nicht gelesen.} other {Du hattest es # Minuten nach dem Schreiben nicht gelesen.}}';

export const de: Words = {
  direction: 'ltr',
  push: {
    messages: '{count, plural, one {Neue Nachricht} other {# neue Nachrichten}}',
    messageFrom: 'Neue Nachricht von {sender}',
  },
  email: {
    subjectFrom: `${count} von {name}`,
    subjectIn: `${count} in {name}`,
    subjectSeveral: several,
    more: 'und {count} weitere',
    open: 'Unterhaltung öffnen',
    why: 'Diese E-Mail kommt, weil diese Nachrichten ungelesen waren.',
    unsubscribe: 'Keine E-Mails mehr über ungelesene Nachrichten',
    earlier: 'Davor',
    preferences: 'Einstellen, wie oft E-Mails kommen',
    summarySubject:
      '{count, plural, one {# ungelesene Nachricht wartet} other {# ungelesene Nachrichten warten}} auf dich',
    summaryIntro: 'Du warst seit einer Woche nicht da. Das wartet auf dich.',
    waiting: '{count, plural, one {# ungelesene Nachricht} other {# ungelesene Nachrichten}}',
    codeSubject: 'Dein Homing-Code',
    code: '{code} ist dein Homing-Code. Er gilt {minutes} Minuten.',
    ignore: 'Wenn du ihn nicht angefordert hast, ist nichts zu tun.',
    resetSubject: 'Ein neues Passwort für Homing',
    reset: 'Wähle innerhalb von {minutes} Minuten ein neues Passwort: {link}',
    resetIgnore: 'Wenn du das nicht wolltest, kannst du diese E-Mail übergehen: Dein Passwort bleibt, wie es ist.',
    passwordChangedSubject: 'Dein Homing-Passwort wurde geändert',
    passwordChanged:
      'Dein Homing-Passwort wurde geändert. Wenn du das nicht warst, fordere sofort ein neues an, dort, wo du dich anmeldest: Das beendet alle Sitzungen.',
    haveAccountSubject: 'Du hast schon ein Homing-Konto',
    haveAccount:
      'Jemand hat einen Code angefordert, um diese Adresse mit einem anderen Konto zu benutzen. Sie gehört zu deinem: Melde dich damit an, oder fordere dort, wo du dich anmeldest, ein neues Passwort an.',
    haveAccountIgnore:
      'Wenn du das nicht warst, ist nichts zu tun: Niemand kann deine Adresse benutzen, der deine E-Mails nicht liest.',
    signInSubject: 'Neue Anmeldung bei Homing',
    signIn: 'Jemand hat sich auf einem neuen Gerät oder in einem neuen Netz bei deinem Homing-Konto angemeldet: {at}.',
    signInRemedy:
      'Wenn du das warst, ist nichts zu tun. Wenn nicht, beende diese Sitzung in der App und ändere dein Passwort.',
  },
  account: {
    subject: 'An deiner Anmeldung bei Homing hat sich etwas geändert',
    ifNotYou:
      'Wenn du das nicht warst, melde dich jetzt an, ändere dein Passwort und beende die Sitzungen, die du nicht kennst.',
    totp_added: 'Für dein Homing-Konto wurde eine Authenticator-App eingeschaltet.',
    totp_removed: 'Die Authenticator-App deines Homing-Kontos wurde ausgeschaltet.',
    passkey_added: 'Deinem Homing-Konto wurde ein Passkey hinzugefügt.',
    passkey_removed: 'Ein Passkey deines Homing-Kontos wurde entfernt.',
    identity_added: 'Mit deinem Homing-Konto wurde ein fremdes Konto verknüpft: Damit kann man sich als du anmelden.',
    identity_removed: 'Ein verknüpftes Konto kann sich nicht mehr bei deinem Homing-Konto anmelden.',
    recovery_codes_renewed:
      'Für dein Homing-Konto wurden neue Wiederherstellungscodes erstellt. Die alten gelten nicht mehr.',
    recovery_code_used:
      'Einer deiner Wiederherstellungscodes wurde benutzt, um sich bei deinem Homing-Konto anzumelden oder es als deines auszuweisen.',
    factors_removed:
      'Die zweiten Faktoren deines Homing-Kontos wurden von der Verwaltung entfernt, und du wurdest überall abgemeldet.',
    token_made: 'Für dein Homing-Konto oder einen Bot von dir wurde ein Zugangstoken für ein Programm erstellt.',
    contact_changed:
      'Deinem Homing-Konto wurde eine E-Mail-Adresse oder Telefonnummer hinzugefügt, oder eine wurde durch eine andere ersetzt.',
  },
  page: {
    title: 'E-Mails von Homing',
    to: 'E-Mails über ungelesene Nachrichten an {address}',
    frequency: 'Wie oft',
    immediate: 'Für jede Unterhaltung, eine Weile nach einer Nachricht',
    hourly: 'Gesammelt, einmal in der Stunde',
    daily: 'Gesammelt, einmal am Tag',
    off: 'Nie',
    at: 'Uhrzeit',
    weekly: 'Einmal in der Woche, was wartet, wenn ich eine Woche lang nicht da war',
    conversations: 'Unterhaltungen in dieser E-Mail',
    conversation: 'E-Mails über {name}',
    save: 'Speichern',
    saved: 'Gespeichert.',
    unsubscribe: 'Gar keine E-Mails mehr',
    unsubscribeWhy: 'Das beendet alle E-Mails über ungelesene Nachrichten, was auch immer oben gewählt ist.',
    unsubscribed:
      'An diese Adresse kommen keine E-Mails über ungelesene Nachrichten mehr. Sollen sie wieder kommen, öffne die Einstellungen in der App.',
    question: 'Keine E-Mails mehr über ungelesene Nachrichten?',
    rather: 'Lieber einstellen, wie oft sie kommen',
  },
  resetPage: {
    explain:
      'Mindestens {min} Zeichen, und nicht, was andere zuerst raten. Alle Sitzungen enden: Melde dich danach neu an.',
    password: 'Neues Passwort',
    save: 'Passwort setzen',
    noScript: 'Diese Seite braucht JavaScript: Ohne es erreicht uns der geheime Teil des Links nicht.',
    done: 'Dein neues Passwort gilt. Du kannst dich jetzt damit anmelden.',
    expired:
      'Dieser Link wurde schon benutzt, ist abgelaufen oder nicht vollständig. Fordere beim Anmelden einen neuen an.',
    weak: 'Wähle ein anderes: {min} bis {max} Zeichen, und nicht deinen Namen, deine Adresse oder was leicht zu raten ist.',
    failed: 'Das hat nicht geklappt. Versuche es gleich noch einmal.',
  },
  openPage: {
    title: 'Du hast neue Nachrichten',
    text: 'Öffne Homing, um sie zu lesen.',
  },
  signedInPage: {
    title: 'Zurück zur App',
    text: 'Hier geht deine Anmeldung nicht weiter. Schließe diese Seite und kehre zu der App zurück, aus der du kamst.',
  },
  why: {
    question: 'Warum habe ich das bekommen?',
    told: 'Beim Senden {count, plural, =0 {waren Nachrichten ungelesen, die es nicht mehr gibt.} one {war # Nachricht ungelesen:} other {waren # Nachrichten ungelesen:}}',
    waiting: 'Du warst seit einer Woche nicht da. Das hat auf dich gewartet:',
    inGroup: '{count, plural, one {# Nachricht} other {# Nachrichten}} in {name}',
    fromPerson: '{count, plural, one {# Nachricht} other {# Nachrichten}} von {name}',
    elsewhere: '{count, plural, one {# Nachricht} other {# Nachrichten}}, wo du nicht mehr dabei bist',
    written: 'Geschrieben: {from}.',
    writtenBetween: 'Geschrieben: {from} bis {to}.',
    sent: 'Gesendet: {at}.',
    urgent: 'Etwas davon ist dringend, und Dringendes kommt früher.',
    gone: 'Mehr ist davon nicht bekannt: Was entschieden wurde, wird 90 Tage lang aufbewahrt.',
    fewer: 'Damit weniger E-Mails kommen',
  },
  because: {
    due: unreadAfter,
    weekly_summary: 'Einmal in der Woche sagt eine E-Mail, was wartet, wenn du nicht da warst.',
    burst_window: 'Es kam einen Moment nach dem Schreiben, damit zusammen gemeldet wird, was zusammen kommt.',
    presence_grace: 'Du warst an einem Gerät aktiv und hattest einen Moment, es dort zu lesen.',
    focused_grace: 'Du hattest die Unterhaltung offen und einen Moment, es dort zu lesen.',
    idle_grace: 'Du warst verbunden, aber nicht aktiv, darum kam es nach einem kurzen Moment.',
    awaiting_acknowledgement: 'Deine App war verbunden, hatte aber nicht gesagt, dass sie die Nachricht hat.',
    re_alert_gap: 'Es hielt Abstand zur Benachrichtigung davor.',
    quiet_hours: 'Es hat das Ende deiner Ruhezeit abgewartet.',
    do_not_disturb: 'Es hat das Ende der Zeit abgewartet, in der du nicht gestört werden wolltest.',
    sms_night: 'Es hat den Morgen abgewartet: Nachts wird keine SMS gesendet.',
    breaker_open: 'Es ging nicht früher: Der Dienst, der es sendet, war gestört.',
    provider_recovering: 'Es ging nicht früher: Der Dienst, der es sendet, war gestört.',
    step_delay: unreadAfter,
    reminder_gap: 'Es war schon einmal gemeldet und blieb ungelesen, darum kam dies mit Abstand.',
    urgent_repeat: 'Es ist dringend und du hattest es nicht gelesen, darum kam es noch einmal.',
    cap_user: 'Du hattest so viele bekommen, wie in einer Stunde oder an einem Tag kommen, darum hat es gewartet.',
    cap_org_sms: 'An dem Tag wurden keine SMS mehr gesendet, darum kam es am nächsten.',
    next_digest:
      '{frequency, select, hourly {Es wurde für deine stündliche E-Mail gesammelt.} daily {Es wurde für deine tägliche E-Mail gesammelt.} other {Es wurde mit anderem für eine E-Mail gesammelt.}}',
  },
  unpushed: {
    no_device: 'An keines deiner Geräte konnte eine Push-Nachricht gesendet werden.',
    device_off: 'Du hattest Benachrichtigungen auf allen deinen Geräten ausgeschaltet.',
    push_permission_denied: 'Deine Geräte haben keine Benachrichtigungen erlaubt.',
    devices_suspect: 'Deine Geräte waren für Push-Nachrichten nicht erreichbar.',
    channel_off: 'Du hattest Push-Nachrichten ausgeschaltet.',
    channel_off_here: 'Du hattest Push-Nachrichten für diese Unterhaltung ausgeschaltet.',
    already_announced: 'Eine Push-Nachricht dazu war schon gekommen, und es war noch ungelesen.',
    breaker_open: 'Push-Nachrichten konnten da nicht gesendet werden.',
    provider_recovering: 'Push-Nachrichten konnten da nicht gesendet werden.',
    needs_operator: 'Push-Nachrichten konnten da nicht gesendet werden.',
    quiet_hours: 'Push-Nachrichten haben das Ende deiner Ruhezeit abgewartet.',
    do_not_disturb: 'Push-Nachrichten haben das Ende der Zeit abgewartet, in der du nicht gestört werden wolltest.',
  },
  sms: {
    messages: `Homing: ${count}. Öffnen: {link}`,
    messagesSeveral: `Homing: ${several}. Öffnen: {link}`,
    code: '{code} ist dein Homing-Code. Er gilt {minutes} Minuten.',
    reset: 'Homing: Wähle innerhalb von {minutes} Minuten ein neues Passwort: {link}',
    passwordChanged:
      'Dein Homing-Passwort wurde geändert. Wenn du das nicht warst, fordere sofort ein neues an, dort, wo du dich anmeldest.',
    signIn:
      'Neue Anmeldung bei deinem Homing-Konto, mit neuem Gerät oder Netz. Wenn du das nicht warst, ändere dein Passwort.',
    haveAccount:
      'Jemand hat einen Homing-Code für diese Nummer angefordert. Sie gehört zu deinem Konto: Melde dich damit an. Wenn du das nicht warst, ist nichts zu tun.',
    totp_added:
      'Für dein Homing-Konto wurde eine Authenticator-App eingeschaltet. Warst du das nicht, ändere jetzt dein Passwort.',
    totp_removed:
      'Die Authenticator-App deines Homing-Kontos wurde ausgeschaltet. Warst du das nicht, ändere jetzt dein Passwort.',
    passkey_added: 'Deinem Homing-Konto wurde ein Passkey hinzugefügt. Warst du das nicht, ändere jetzt dein Passwort.',
    passkey_removed: 'Ein Passkey deines Homing-Kontos wurde entfernt. Warst du das nicht, ändere jetzt dein Passwort.',
    identity_added:
      'Mit deinem Homing-Konto wurde ein anderes Konto verknüpft. Warst du das nicht, ändere jetzt dein Passwort.',
    identity_removed:
      'Ein Konto ist nicht mehr mit deinem Homing-Konto verknüpft. Warst du das nicht, ändere jetzt dein Passwort.',
    recovery_codes_renewed:
      'Für dein Homing-Konto wurden neue Wiederherstellungscodes erstellt. Warst du das nicht, ändere jetzt dein Passwort.',
    recovery_code_used:
      'Ein Wiederherstellungscode deines Homing-Kontos wurde benutzt. Warst du das nicht, ändere jetzt dein Passwort.',
    factors_removed:
      'Die zweiten Faktoren deines Homing-Kontos wurden entfernt. Warst du das nicht, ändere jetzt dein Passwort.',
    token_made:
      'Für dein Homing-Konto oder einen Bot von dir wurde ein Zugangstoken erstellt. Warst du das nicht, ändere jetzt dein Passwort.',
    contact_changed:
      'Adresse oder Nummer deines Homing-Kontos wurde geändert oder hinzugefügt. Warst du das nicht, ändere jetzt dein Passwort.',
  },
};
