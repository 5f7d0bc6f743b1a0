--[[ reader: reads members of a room in portions that cost little, whatever others wrote there. A part of room_log, whose digest and
     micros_of it uses, and room, own, foreign, meta.
     A member that is too long is read once: then it gets a score that no other member has, within its second, and is passed by. `own` has
     it as `!:µs:digest`, so that it does not count as unread. ]]
local LONGEST = 65536 -- bytes; a longer member is not a message
local SET_ASIDE = { '[!:', '(!;' }

-- The seconds that a score means: some of the apps' clients send milliseconds.
local function meant(score)
  local MILLISECONDS = 100000000000 -- as seconds, that would be the year 5138
  local seconds = tonumber(score)
  return seconds > MILLISECONDS and seconds < 1000 * MILLISECONDS and seconds / 1000 or seconds
end

-- Puts a member to another score, where it stays: an app that stores the very same once more would put it back. Gives the score as Redis says it.
local function move(member, score)
  redis.call('ZADD', room, score, member)
  redis.call('HSET', meta, 'at:' .. digest(member), score)
  return redis.call('ZSCORE', room, member)
end

local function set_aside(member, score)
  local LATEST_SECOND = 4000000000 -- up to which a score tells microseconds apart
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

--[[ From near to far at most `most`, until there are `budget` bytes, as { member, score, … }; behind the first `offset` of them.
     Gives them, where to go on (a score as near is, and an offset; nil where it is at the end), the bytes, and how many were passed by. ]]
local function read(near, far, rev, most, budget, offset)
  local AT_ONCE = 8      -- members, each of which may be long
  local MOST_SKIPS = 200 -- that are passed by in one go
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
