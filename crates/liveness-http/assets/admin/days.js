// Days as a reviewer means them, and the instants that the API asks for. A day begins at midnight where the reviewer is.

const ZONE = new Intl.DateTimeFormat('en').resolvedOptions().timeZone;

/** The reviewer's time zone, in which the days are. */
export const zone = () => ZONE;

/** The day (`2026-11-24`) in which an instant lies; empty when it is none. */
export function dayOf(instant) {
  const time = new Date(instant ?? NaN);
  return Number.isNaN(time.getTime()) ? '' : [time.getFullYear(), time.getMonth() + 1, time.getDate()]
    .map((part, place) => `${part}`.padStart(place === 0 ? 4 : 2, '0')).join('-');
}

/** The last day before an instant: `to` is exclusive, and people name the last day that they want. */
export function dayBefore(instant) {
  const time = new Date(instant ?? NaN);
  return Number.isNaN(time.getTime()) ? '' : dayOf(time.getTime() - 1);
}

/** When a day begins. */
export const startOf = (day) => midnight(day, 0);

/** When the next one begins: a day may have 23 or 25 hours. */
export const endOf = (day) => midnight(day, 1);

function midnight(day, later) {
  const [year, month, date] = day.split('-').map(Number);
  const time = new Date(2000, 0, 1);
  // The constructor would take a year below 100 for one of the last century.
  time.setFullYear(year, month - 1, date + later);
  return time.toISOString().replace('.000Z', 'Z');
}
