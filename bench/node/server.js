// Fastify with @fastify/jwt, and JSON Schema for bodies and answers: the messages that are measured, as docs/api.md has them.
// Environment: PORT, LIVENESS_JWT_SECRET, DATABASE_URL (a path, or postgres://…), WORKERS.
import cluster from 'node:cluster'
import Fastify from 'fastify'
import jwt from '@fastify/jwt'
import { openPostgres, openSqlite } from './store.js'

const { PORT, LIVENESS_JWT_SECRET: secret, DATABASE_URL: url, WORKERS } = process.env

const text = { type: 'string' }
const flag = { type: 'boolean' }
const whole = { type: 'integer' }
const or = (schema, ...others) => ({ ...schema, type: [schema.type, 'null', ...others] })
const object = (properties, required = []) => ({ type: 'object', properties, required })

const duration = or({ type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 })
const lighting = or({ type: 'number', minimum: 0, maximum: 1 })
const challenges = or({ type: 'array', maxItems: 100, items: { type: 'string', minLength: 1, maxLength: 64 } })
const capture = { verificationResult: or(flag), sessionDuration: duration, lightingValue: lighting }
const submission = object({
  sessionId: { type: 'string', minLength: 1, maxLength: 255 },
  isSuccessful: flag,
  imageBase64: or(text),
  imagePath: or({ type: 'string', maxLength: 1024 }),
  metadata: object({
    timestamp: or({ type: 'integer', minimum: 0 }),
    completedAt: or({ type: 'string', format: 'date-time' }),
    ...capture,
    challengeCount: or({ type: 'integer', minimum: 0, maximum: 100 }),
    completedChallenges: challenges,
    challenges,
    finalCapture: object(capture)
  }),
  imageMetadata: object(capture)
}, ['sessionId', 'isSuccessful'])
const page = object({
  selfServiceUserId: or(whole),
  preRegistrationId: or(whole),
  sessionId: or(text),
  pageNumber: { type: 'integer', minimum: 1, default: 1 },
  pageSize: { type: 'integer', minimum: 1, maximum: 100, default: 20 }
})

const answered = data => ({ 200: object({ isSuccessful: flag, statusCode: text, message: text, data: object(data) }) })
const receipt = {
  id: whole, sessionId: text, isSuccessful: flag, verificationResult: or(flag), challengeCount: or(whole), completedAt: or(text), createdAt: text
}
const record = {
  Id: whole, SessionId: text, IsSuccessful: flag, VerificationResult: or(flag), SessionDuration: or(whole), LightingValue: or({ type: 'number' }),
  ChallengeCount: or(whole), CompletedChallenges: or({ type: 'array', items: text }), FinalCaptureVerificationResult: or(flag), HasImage: flag,
  ImagePath: or(text), CompletedAt: or(text), CreatedAt: text, DeviceInfo: or(text), ClientIp: or(text)
}
const person = { EmailAddress: text, DisplayName: text }

const bool = value => value == null ? null : Boolean(value)
const asRecord = row => ({
  Id: row.id,
  SessionId: row.session_id,
  IsSuccessful: bool(row.is_successful),
  VerificationResult: bool(row.verification_result),
  SessionDuration: row.session_duration,
  LightingValue: row.lighting_value,
  ChallengeCount: row.challenge_count,
  CompletedChallenges: row.completed_challenges && JSON.parse(row.completed_challenges),
  FinalCaptureVerificationResult: bool(row.final_verification_result),
  HasImage: row.image_media_type !== null,
  ImagePath: row.image_path,
  CompletedAt: row.completed_at,
  CreatedAt: row.created_at,
  DeviceInfo: row.device_info,
  ClientIp: row.client_ip
})
const asPerson = row => ({ EmailAddress: row.email, DisplayName: row.name })
const answer = (message, data) => ({ isSuccessful: true, statusCode: '00', message, data })
const refuse = (reply, status, message) => reply.code(status).send({ isSuccessful: false, statusCode: String(status), message, data: null })

// The bytes of a JPEG in Base64, with or without a data URI's head; null where it is none.
function decodeImage (encoded) {
  const base64 = encoded.startsWith('data:') ? encoded.slice(encoded.indexOf(';base64,') + 8) : encoded
  const bytes = Buffer.from(base64, 'base64')
  // Characters that are none of Base64 would be skipped.
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  const isWhole = base64.length % 4 === 0 && bytes.length === base64.length / 4 * 3 - padding
  return isWhole && bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff ? bytes : null
}

async function serve () {
  const store = /^postgres(ql)?:/.test(url) ? openPostgres(url) : openSqlite(url)
  const app = Fastify({ bodyLimit: 8 << 20 })
  await app.register(jwt, { secret, verify: { algorithms: ['HS256'], requiredClaims: ['sub', 'exp'] } })

  const as = role => async (request, reply) => {
    try { await request.jwtVerify() } catch { return refuse(reply, 401, 'Unauthorized') }
    if (request.user.role !== role) return refuse(reply, 403, 'Forbidden')
  }
  const message = (name, role, schema, handler) =>
    app.post(`/api/BPMSelfService/commands/${name}`, { onRequest: as(role), schema }, handler)

  message('SubmitLivenessCheckCommand', 'customer', { body: submission, response: answered(receipt) }, async (request, reply) => {
    const { sessionId, isSuccessful, imageBase64, imagePath, metadata = {}, imageMetadata } = request.body
    if (!isSuccessful) return refuse(reply, 422, 'The liveness check did not succeed.')
    const image = imageBase64 ? decodeImage(imageBase64) : undefined
    if (image === null) return refuse(reply, 400, 'imageBase64 is not a JPEG in Base64.')
    const { verificationResult = null, challengeCount = null, completedAt = null, finalCapture = {} } = metadata
    const createdAt = new Date().toISOString()
    const id = await store.insert({
      user_id: Number(request.user.sub),
      session_id: sessionId,
      is_successful: isSuccessful,
      verification_result: verificationResult,
      session_duration: metadata.sessionDuration,
      lighting_value: metadata.lightingValue,
      challenge_count: challengeCount,
      completed_challenges: metadata.completedChallenges && JSON.stringify(metadata.completedChallenges),
      challenges: metadata.challenges && JSON.stringify(metadata.challenges),
      final_verification_result: finalCapture.verificationResult,
      final_session_duration: finalCapture.sessionDuration,
      final_lighting_value: finalCapture.lightingValue,
      image_media_type: image && 'image/jpeg',
      image_path: imagePath,
      completed_at: completedAt,
      created_at: createdAt,
      device_info: imageMetadata && JSON.stringify(imageMetadata),
      client_ip: request.ip,
      image_bytes: image
    })
    return answer('Liveness check completed successfully.', { id, sessionId, isSuccessful, verificationResult, challengeCount, completedAt, createdAt })
  })

  const status = { HasCompletedLivenessCheck: flag, LivenessCheckDate: or(text), SessionId: or(text) }
  message('CheckLivenessStatusQuery', 'customer', { response: answered(status) }, async request => {
    const row = await store.passed(Number(request.user.sub))
    return answer('Liveness check status.', {
      HasCompletedLivenessCheck: row !== undefined,
      LivenessCheckDate: row ? row.completed_at ?? row.created_at : null,
      SessionId: row?.session_id ?? null
    })
  })

  const ofUser = { UserId: whole, ...person, LivenessCheck: or(object({ ...record, ImageBase64: or(text) })) }
  message('GetUserLivenessCheckQuery', 'admin', { body: object({ userId: whole }, ['userId']), response: answered(ofUser) }, async (request, reply) => {
    const user = await store.user(request.body.userId)
    if (!user) return refuse(reply, 404, 'There is no such user.')
    const row = await store.latest(user.id)
    const image = row?.image_bytes
    const ImageBase64 = image ? `data:${row.image_media_type};base64,${image.toString('base64')}` : null
    return answer('Liveness check of the user.', { UserId: user.id, ...asPerson(user), LivenessCheck: row ? { ...asRecord(row), ImageBase64 } : null })
  })

  const item = { ...record, SelfServiceUserId: whole, PreRegistrationId: or(whole), ...person }
  const list = { Items: { type: 'array', items: object(item) }, PageNumber: whole, PageSize: whole, TotalCount: whole }
  message('RetrieveLivenessChecksQuery', 'admin', { body: page, response: answered(list) }, async request => {
    const { pageNumber, pageSize, ...filters } = request.body
    const { total, rows } = await store.list(filters, pageSize, (pageNumber - 1) * pageSize)
    const Items = rows.map(row => ({ ...asRecord(row), SelfServiceUserId: row.user_id, PreRegistrationId: row.pre_registration_id, ...asPerson(row) }))
    return answer('Liveness checks retrieved successfully.', { Items, PageNumber: pageNumber, PageSize: pageSize, TotalCount: total })
  })

  await app.listen({ host: '127.0.0.1', port: Number(PORT) })
  process.once('SIGTERM', async () => {
    await app.close()
    await store.close()
    process.exit(0)
  })
}

if (Number(WORKERS) > 1 && cluster.isPrimary) {
  for (let worker = 0; worker < Number(WORKERS); worker++) cluster.fork()
  process.once('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.kill()
    process.exit(0)
  })
} else {
  await serve()
}
