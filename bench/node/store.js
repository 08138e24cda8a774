// The same store twice: better-sqlite3, which is synchronous, and pg with a pool.
import Database from 'better-sqlite3'
import pg from 'pg'

const LISTED = [
  'id', 'user_id', 'session_id', 'is_successful', 'verification_result', 'session_duration', 'lighting_value', 'challenge_count',
  'completed_challenges', 'final_verification_result', 'image_media_type', 'image_path', 'completed_at', 'created_at', 'device_info', 'client_ip'
]
const COLUMNS = [
  ...LISTED.slice(1), 'challenges', 'final_session_duration', 'final_lighting_value', 'image_bytes'
]
const FILTERS = { selfServiceUserId: 'c.user_id', sessionId: 'c.session_id', preRegistrationId: 'u.pre_registration_id' }

// The SQL of everything, where mark(n) stands for the n-th value.
function queries (mark) {
  const of = 'FROM liveness_checks WHERE user_id = ' + mark(1)
  return {
    insert: `INSERT INTO liveness_checks (${COLUMNS}) VALUES (${COLUMNS.map((_, place) => mark(place + 1))}) RETURNING id`,
    passed: `SELECT completed_at, created_at, session_id ${of} AND is_successful AND verification_result IS NOT FALSE ORDER BY id DESC LIMIT 1`,
    user: `SELECT id, name, email FROM users WHERE id = ${mark(1)}`,
    latest: `SELECT * ${of} ORDER BY id DESC LIMIT 1`
  }
}

function listQueries (filters, mark) {
  const given = Object.entries(FILTERS).filter(([name]) => filters[name] != null)
  const conditions = given.map(([, column], place) => `${column} = ${mark(place + 1)}`)
  const where = conditions.length ? `WHERE ${conditions.join(' AND ')}` : ''
  // Every record has a user, so only this filter needs the users to count.
  const counted = filters.preRegistrationId != null ? 'liveness_checks c JOIN users u ON u.id = c.user_id' : 'liveness_checks c'
  return {
    values: given.map(([name]) => filters[name]),
    count: `SELECT count(*) AS total FROM ${counted} ${where}`,
    page: `SELECT ${LISTED.map(column => 'c.' + column)}, u.name, u.email, u.pre_registration_id
      FROM liveness_checks c JOIN users u ON u.id = c.user_id ${where} ORDER BY c.id DESC LIMIT ${mark(given.length + 1)} OFFSET ${mark(given.length + 2)}`
  }
}

export function openSqlite (path) {
  const db = new Database(path)
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON', 'busy_timeout = 5000']) db.pragma(pragma)
  const prepared = {}
  const prepare = sql => (prepared[sql] ??= db.prepare(sql))
  const { insert, passed, user, latest } = queries(() => '?')
  const cell = value => typeof value === 'boolean' ? Number(value) : value ?? null
  return {
    insert: row => prepare(insert).get(COLUMNS.map(column => cell(row[column]))).id,
    passed: id => prepare(passed).get(id),
    user: id => prepare(user).get(id),
    latest: id => prepare(latest).get(id),
    list (filters, limit, offset) {
      const { values, count, page } = listQueries(filters, () => '?')
      return { total: prepare(count).get(values).total, rows: prepare(page).all([...values, limit, offset]) }
    },
    close: () => db.close()
  }
}

export function openPostgres (url) {
  pg.types.setTypeParser(pg.types.builtins.INT8, Number)
  const pool = new pg.Pool({ connectionString: url, max: 16 })
  const { insert, passed, user, latest } = queries(place => `$${place}`)
  // A name makes it a prepared statement.
  const first = async (name, text, values) => (await pool.query({ name, text, values })).rows[0]
  return {
    insert: async row => (await first('insert', insert, COLUMNS.map(column => row[column] ?? null))).id,
    passed: id => first('passed', passed, [id]),
    user: id => first('user', user, [id]),
    latest: id => first('latest', latest, [id]),
    async list (filters, limit, offset) {
      const { values, count, page } = listQueries(filters, place => `$${place}`)
      const [counted, listed] = await Promise.all([pool.query(count, values), pool.query(page, [...values, limit, offset])])
      return { total: counted.rows[0].total, rows: listed.rows }
    },
    close: () => pool.end()
  }
}
