--[[ reader: reads members of a room in portions of bounded cost, even if demo apps wrote long members there. A part of
     other_writers, whose digest and micros_of it uses. Also uses room, own, foreign and meta.
     A member that is too long is read once. It then gets a score of its second that no other member has, so that later reads skip it. `own`
     has it as `!:µs:digest`, so that it does not count as unread. ]]
local LONGEST = 65536 -- bytes; a longer member is not a message
local SET_ASIDE = { '[!:', '(!;' }

-- The time of a score in seconds: some of the demo apps' clients send milliseconds.
local function meant(score)
  local MILLISECONDS = 100000000000 -- in seconds, this would be the year 5138
  local seconds = tonumber(score)
  return seconds > MILLISECONDS and seconds < 1000 * MILLISECONDS and seconds / 1000 or seconds
end

-- Moves a member to another score for good, and records the score: an app that stores the same member again would move it back. Returns the
-- score in the form in which Redis returns it.
local function move(member, score)
  redis.call('ZADD', room, score, member)
  redis.call('HSET', meta, 'at:' .. digest(member), score)
  return redis.call('ZSCORE', room, member)
end

local function set_aside(member, score)
  local LATEST_SECOND = 4000000000 -- up to here a score can distinguish microseconds
  local TRIES = 10
  local name = digest(member)
  redis.call('SADD', foreign, name)
  local at = redis.call('HGET', meta, 'at:' .. name)
  local second = math.floor(math.min(math.max(meant(score), 0), LATEST_SECOND))
  local micros = tonumber(string.sub(name, 1, 8), 16)
  for try = 1, TRIES do
    at = at or string.format('%d.%06d', second, (micros + try) % 1000000)
    if redis.call('ZCOUNT', room, at, at) == 0 or tonumber(score) == tonumber(at) then
      redis.call('ZADD', room, at, member)
      redis.call('HSET', meta, 'at:' .. name, at)
      redis.call('ZADD', own, 0, string.format('!:%s:%s', micros_of(at), name))
      return
    end
    at = nil
  end
end

--[[ Reads from near to far, after the first `offset` members, at most `most` members and until there are `budget` bytes.
     Returns { member, score, … }, where to continue (a score in the form of near, and an offset; nil at the end), the number of bytes,
     and the number of skipped members. ]]
local function read(near, far, rev, most, budget, offset)
  local AT_ONCE = 8      -- members, each of which may be long
  local MOST_SKIPS = 200 -- skipped members in one call
  local function micros(bound)
    if bound == '-inf' then return micros_of(0) end
    if bound == '+inf' then return '9999999999999999' end
    return micros_of(tonumber((string.gsub(bound, '^%(', ''))))
  end
  local low, high = '[!:' .. micros(rev and far or near), '[!:' .. micros(rev and near or far) .. ';'
  local skips
  if rev then
    skips = redis.call('ZREVRANGEBYLEX', own, high, low, 'LIMIT', 0, MOST_SKIPS)
  else
    skips = redis.call('ZRANGEBYLEX', own, low, high, 'LIMIT', 0, MOST_SKIPS)
  end

  local found, bytes, step = {}, 0, 2
  offset = tonumber(offset) or 0
  for index = 1, #skips + 1 do
    local skip = skips[index] and string.format('(%s.%s', string.sub(skips[index], 3, 12), string.sub(skips[index], 13, 18))
    while true do
      local wanted = math.min(step, most - #found / 2)
      if wanted == 0 or bytes >= budget then return found, near, offset, bytes, index - 1 end
      local members
      if rev then
        members = redis.call('ZRANGE', room, near, skip or far, 'BYSCORE', 'REV', 'LIMIT', offset, wanted, 'WITHSCORES')
      else
        members = redis.call('ZRANGE', room, near, skip or far, 'BYSCORE', 'LIMIT', offset, wanted, 'WITHSCORES')
      end
      step = math.min(2 * step, AT_ONCE)
      for at = 1, #members, 2 do
        bytes = bytes + #members[at]
        if #members[at] > LONGEST then step = 1 end
        found[#found + 1] = members[at]
        found[#found + 1] = members[at + 1]
      end
      offset = offset + #members / 2
      if #members < 2 * wanted then break end
    end
    if not skip then return found, nil, nil, bytes, index - 1 end
    near, offset = skip, 0
    if index == MOST_SKIPS then return found, near, 0, bytes, index end
  end
end
