--[[ room_log: where a room's log stands, and how it goes on. A part of each script that reads or writes it, whose
     room, log, meta, foreign, own (keys), new_epoch and log_length it uses, and heard (score of a message that was heard of, or '').

     The demo apps add to `room` as well, and know no log. So whoever comes here first takes in what they wrote: gives it its
     place in the log, once. `known` members of the room are accounted for; while there are just as many, nothing is new.
     What cannot be found among the newest and is not heard of either would be a silent gap: then the log begins anew. ]]
local seq, epoch, last, known, since, deadline, puzzle = unpack(redis.call('HMGET', meta, 'seq', 'epoch', 'time', 'known', 'since', 'deadline', 'puzzle'))
seq, last, known = tonumber(seq) or 0, tonumber(last) or 0, tonumber(known)

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2] -- microseconds; exact in a double until the year 2255

-- Later than everything that was written here before: a clock that went back must not reorder the room.
local function next_time()
  return math.max(now, last + 1)
end

-- Adds an event to the log and tells the followers. `fields` is the JSON of what belongs to its kind.
local function append(kind, at, fields)
  if not epoch then
    -- The log is born, or born again after a loss: positions of an earlier life must not seem to fit.
    redis.call('DEL', log)
    seq, epoch = 0, new_epoch
  end
  seq, last = seq + 1, at
  local event = string.format('{"seq":%d,"epoch":"%s","kind":"%s","at":%.0f,%s}', seq, epoch, kind, at, fields)
  redis.call('XADD', log, 'MAXLEN', '~', log_length, string.format('%d-0', seq), 'event', event)
  redis.call('HSET', meta, 'seq', seq, 'epoch', epoch, 'time', string.format('%.0f', at), 'known', known)
  redis.call('SPUBLISH', room, event)
end

-- How many members the room has; nil where someone put a value of another type there.
local stored = redis.pcall('ZCARD', room)
if type(stored) ~= 'number' then
  stored = nil
elseif stored ~= (known or 0) then
  local SMALL = 100        -- members of a room that nobody came to before: up to so many are all new; of more none is, as in a database taken over
  local LOOKED_AT = 1000   -- newest members among which new ones are searched
  local REMEMBERED = 1000  -- others' members that are told from new ones one by one; what is older than these is not new
  local LONGEST = 65536    -- bytes; a longer member is nobody's message
  local AHEAD = 86400      -- seconds; members dated further ahead are looked at only when they are heard of
  local PATIENCE = 3000000 -- microseconds in which what cannot be found may yet be heard of
  since = since or '-inf'

  -- Makes every position that was given out before a wrong one, that of the room's beginning too.
  local function begin_anew()
    redis.call('DEL', log)
    seq, epoch, last = seq + 1, new_epoch, next_time()
    redis.call('HSET', meta, 'seq', seq, 'epoch', epoch, 'time', string.format('%.0f', last))
  end

  -- No demo app writes a space before the last brace, whatever its clients make it store: nobody there can pass for us.
  local function is_ours(member)
    return string.sub(member, -2) == ' }'
  end

  local function digest(member)
    return redis.sha1hex(#member > LONGEST and string.sub(member, 1, LONGEST) .. #member or member)
  end

  -- From now on this member of someone else's is known. One dated ahead goes the way of those of today.
  local function remember(member, score)
    redis.call('ZADD', foreign, math.min(tonumber(score), clock[1]), digest(member))
    if redis.call('ZCARD', foreign) > REMEMBERED then
      local half = REMEMBERED / 2
      since = redis.call('ZRANGE', foreign, half - 1, half - 1, 'WITHSCORES')[2]
      redis.call('ZREMRANGEBYRANK', foreign, 0, half - 1)
      redis.call('HSET', meta, 'since', since)
    end
  end

  -- Notes a message of someone else's as its author's own, who need not read it.
  local function note_author(member, score)
    local readable, fields = pcall(cjson.decode, member)
    local from = readable and type(fields) == 'table' and (fields.from or fields.From)
    local user = (type(from) == 'string' or type(from) == 'number') and string.match(from, '^%d+$')
    if not user or #user > 15 then return end
    local micros = string.format('%016.0f', math.min(math.max(score * 1000000, 0), 9999999999999999))
    redis.call('ZADD', own, 0, user .. ':' .. micros .. ':' .. string.sub(digest(member), 1, 8))
  end

  -- Those of { member, score, … } that others wrote and that are not known, at most so many.
  local function strangers(members, most)
    local found = {}
    for index = 1, #members, 2 do
      if #found == most then break end
      local member, score = members[index], members[index + 1]
      if not is_ours(member) and not redis.call('ZSCORE', foreign, digest(member)) then found[#found + 1] = { member, score } end
    end
    return found
  end

  -- So many new ones among the newest members, the oldest first; fewer where there are no more to be found.
  local function newest_strangers(missing)
    local found, looked_at, step = {}, 0, 10
    while #found < missing and looked_at < LOOKED_AT do
      local members = redis.call('ZRANGE', room, clock[1] + AHEAD, '(' .. since, 'BYSCORE', 'REV', 'LIMIT', looked_at, step, 'WITHSCORES')
      for _, stranger in ipairs(strangers(members, missing - #found)) do table.insert(found, 1, stranger) end
      if #members < 2 * step then break end
      looked_at, step = looked_at + step, 100
    end
    return found
  end

  -- Gives each its place in the log.
  local function adopt(found)
    known = known + #found
    for _, stranger in ipairs(found) do
      local member, score = unpack(stranger)
      if #member <= LONGEST then
        append('message.added', next_time(), string.format('"foreign":{"score":"%s","member":%s}', score, cjson.encode(member)))
        note_author(member, score)
      end
      remember(member, score)
    end
  end

  local function adopt_new()
    local late = deadline and now >= tonumber(deadline)
    if tonumber(puzzle) == stored - known and heard == '' and not late then return end
    if heard ~= '' then
      local there = redis.call('ZRANGE', room, math.floor(heard), heard, 'BYSCORE', 'LIMIT', 0, LOOKED_AT, 'WITHSCORES')
      adopt(strangers(there, stored - known))
    end
    adopt(newest_strangers(stored - known))
    if known < stored and not late then
      redis.call('HSET', meta, 'puzzle', stored - known, 'deadline', deadline or string.format('%.0f', now + PATIENCE))
      return
    end
    if known < stored then begin_anew() end
    if deadline then redis.call('HDEL', meta, 'puzzle', 'deadline') end
    known = stored
  end

  if not known and stored <= SMALL then
    -- The room's first message: 0 until someone has told the people in it.
    if stored == 1 then redis.call('HSET', meta, 'shown', 0) end
    local found = strangers(redis.call('ZRANGE', room, 0, -1, 'WITHSCORES'), stored)
    known = stored - #found
    adopt(found)
  elseif not known then
    begin_anew() -- should someone stand at the room's beginning
    local newest = redis.call('ZRANGE', room, 0, LOOKED_AT - 1, 'REV', 'WITHSCORES')
    if stored > LOOKED_AT then
      since = newest[#newest]
      redis.call('HSET', meta, 'since', since)
    end
    for index = #newest - 1, 1, -2 do
      if not is_ours(newest[index]) then
        remember(newest[index], newest[index + 1])
        if #newest[index] <= LONGEST then note_author(newest[index], newest[index + 1]) end
      end
    end
    known = stored
  elseif stored > known then
    adopt_new()
  else
    known = stored
  end
  redis.call('HSET', meta, 'known', known)
end
known = known or 0
