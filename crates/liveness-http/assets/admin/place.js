// Where one is: the list with its filters and page, the queue, a record from either, or the page of officers. It stands in the
// address behind the #, so that back and forward work and a place can be kept; browsers do not send it. Ids stand there, and
// nothing else of a person.

/** The filters, by the names that the API has for them. */
export const FILTERS = ['selfServiceUserId', 'preRegistrationId', 'sessionId', 'from', 'to', 'isSuccessful', 'hasImage', 'verdict', 'decision'];
/** The page of officers. */
export const OFFICER = '#/officer';
/** The verdict whose queue is meant where none is said. */
const REVIEW = 'review';
const OF_LIST = [...FILTERS, 'pageNumber', 'pageSize'];

/** The list that was shown last, to go back to from a record. */
let lastList = '#/checks';

/** The place in the address. */
export function here() {
  const record = location.hash.match(/^#\/checks\/(\d+)$/);
  if (record) return { record: record[1] };
  if (location.hash === OFFICER) return { officer: true };
  const given = new URLSearchParams(location.hash.split('?')[1] ?? '');
  const queued = location.hash.match(/^#\/queue(?:\/(\d+))?(?:\?|$)/);
  if (queued) return { record: queued[1] ?? null, queue: { verdict: given.get('verdict') ?? REVIEW } };
  const list = {};
  for (const name of OF_LIST) {
    if (given.get(name)) list[name] = given.get(name);
  }
  return { list };
}

export const toRecord = (id) => `#/checks/${id}`;

const ofVerdict = (verdict) => (verdict === REVIEW ? '' : `?${new URLSearchParams({ verdict })}`);
/** The queue of a verdict, and a record that is opened from it. */
export const toQueue = (verdict = REVIEW) => `#/queue${ofVerdict(verdict)}`;
export const toQueued = (id, verdict) => `#/queue/${id}${ofVerdict(verdict)}`;

/** The address of a list; the first page is the one that is meant where none is said. */
export function toList(list) {
  const given = Object.entries(list).filter(([name, value]) => value && !(name === 'pageNumber' && value === '1'));
  return given.length === 0 ? '#/checks' : `#/checks?${new URLSearchParams(given)}`;
}

export function rememberList(list) {
  lastList = toList(list);
}

export const backToList = () => lastList;

/** As if nobody had been here. */
export function forgetPlace() {
  lastList = '#/checks';
  history.replaceState(null, '', lastList);
}
