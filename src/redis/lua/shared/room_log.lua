--[[ room_log: where a room's log stands, and how it goes on. A part of each script that reads or writes it, whose
     room, log, meta, foreign, own, asked (keys), new_epoch, log_length and assistant (the assistant's user id, '' where there is
     none) it uses, and heard (score of a message that was heard of, or '') and order (digests of the messages heard of at that
     score, as they came).

     The demo apps add to `room` as well, and know no log. So whoever comes here first takes in what they wrote: gives it its
     place in the log, once. `known` members of the room are accounted for; while there are just as many, nothing is new.
     `foreign` has those that others wrote, of a room taken over as far down as `since`: what is not in it is new, and
     nothing is ever taken for new that may be old. What cannot be found would be a silent gap: then the log begins anew. ]]
local seq, epoch, last, known, since, deadline, puzzle = unpack(redis.call('HMGET', meta, 'seq', 'epoch', 'time', 'known', 'since', 'deadline', 'puzzle'))
seq, last, known = tonumber(seq) or 0, tonumber(last) or 0, tonumber(known)

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2] -- microseconds; exact in a double until the year 2255

-- Tells a member from others at its score.
local function digest(member)
  local COMPARED = 1024 -- bytes, besides its length
  return string.sub(redis.sha1hex(string.sub(member, 1, COMPARED) .. #member), 1, 16)
end

-- A score as entries of `own` and `mentioned` have it: microseconds, in 16 digits.
local function micros_of(score)
  return string.format('%016.0f', math.min(math.max(score * 1000000, 0), 9999999999999999))
end

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

-- part: message_id

-- Who is in the room beside the assistant, where it is the private room of these two: whatever they say asks it.
local function alone_with_assistant()
  if assistant == '' then return nil end
  local low, high = string.match(room, '^room:(%d+):(%d+)$')
  return low == assistant and high or high == assistant and low or nil
end

-- Puts a message to what the assistant has to answer in this room.
local function ask(id, from)
  redis.call('RPUSH', asked, id .. ' ' .. from)
end

-- How many members the room has; nil where someone put a value of another type there.
local stored = redis.pcall('ZCARD', room)
if type(stored) ~= 'number' then
  stored = nil
elseif stored ~= (known or 0) or heard ~= '' or since then
  local SMALL = 100        -- members of a room that nobody came to before: up to so many are all new; of more none is, as in a database taken over
  local LOOKED_AT = 1000   -- members among which new ones are searched at once
  local INDEXED = 100      -- members of a room taken over that each script that comes by puts into `foreign`
  local LONGEST = 65536    -- bytes; a longer member is nobody's message
  local YOUNG = 60         -- seconds; a room whose oldest message is younger is new itself
  local AHEAD = 86400      -- seconds; members dated further ahead are looked at after the others
  local PATIENCE = 3000000 -- microseconds in which what cannot be found may yet be heard of

  -- Makes every position that was given out before a wrong one, that of the room's beginning too.
  local function begin_anew()
    redis.call('DEL', log)
    seq, epoch, last = seq + 1, new_epoch, next_time()
    redis.call('HSET', meta, 'seq', seq, 'epoch', epoch, 'time', string.format('%.0f', last))
    -- Whoever follows hears of a number that does not fit, looks, and starts again.
    redis.call('SPUBLISH', room, string.format('{"seq":%d,"epoch":"%s","kind":"log.begun","at":%.0f}', seq, epoch, last))
  end

  -- No demo app writes a space before the last brace, whatever its clients make it store: nobody there can pass for us.
  local function is_ours(member)
    return string.sub(member, -2) == ' }'
  end

  -- Notes a message of someone else's as its author's own, who need not read it. Gives the author.
  local function note_author(member, score)
    local readable, fields = pcall(cjson.decode, member)
    local from = readable and type(fields) == 'table' and (fields.from or fields.From)
    local user = (type(from) == 'string' or type(from) == 'number') and string.match(from, '^%d+$')
    if not user or #user > 15 then return nil end
    redis.call('ZADD', own, 0, user .. ':' .. micros_of(score) .. ':' .. digest(member))
    return user
  end

  local function remember(member, score)
    redis.call('SADD', foreign, digest(member))
    return #member <= LONGEST and note_author(member, score) or nil
  end

  -- Whether what a demo app's user says now is a question: these cannot be refused, so many at once are not all answered.
  local function asks(user, score)
    local MOST = 100      -- questions that wait
    local RECENT = 86400  -- seconds; what is older, as in a database taken over, waits for no answer
    return user and user == alone_with_assistant() and tonumber(score) > clock[1] - RECENT and redis.call('LLEN', asked) < MOST
  end

  -- Those of { member, score, … } that others wrote and that are new, at most so many; none where it cannot be known.
  local function strangers(members, most)
    local found = {}
    for index = 1, #members, 2 do
      if #found == most then break end
      local member, score = members[index], members[index + 1]
      if not is_ours(member) and (not since or tonumber(score) >= tonumber(since)) and redis.call('SISMEMBER', foreign, digest(member)) == 0 then
        found[#found + 1] = { member, score }
      end
    end
    return found
  end

  -- New ones from one score down to another, at most so many, the oldest first.
  local function strangers_between(high, low, most)
    local found, looked_at, step = {}, 0, 10
    while #found < most and looked_at < LOOKED_AT do
      local members = redis.call('ZRANGE', room, high, low, 'BYSCORE', 'REV', 'LIMIT', looked_at, step, 'WITHSCORES')
      for _, stranger in ipairs(strangers(members, most - #found)) do table.insert(found, 1, stranger) end
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
      end
      local user = remember(member, score)
      if asks(user, score) then ask(foreign_id(member, score), user) end
    end
  end

  -- Puts further members of a room taken over into `foreign`, the newer first, whole scores at a time.
  local function index(most)
    local members = redis.call('ZRANGE', room, since and '(' .. since or '+inf', '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, most, 'WITHSCORES')
    local lowest = members[#members]
    if #members == 2 * most then
      for _, member in ipairs(redis.call('ZRANGE', room, lowest, lowest, 'BYSCORE')) do
        members[#members + 1] = member
        members[#members + 1] = lowest
      end
      since = lowest
      redis.call('HSET', meta, 'since', since)
    else
      since = nil
      redis.call('HDEL', meta, 'since')
    end
    for at = 1, #members, 2 do
      if not is_ours(members[at]) then remember(members[at], members[at + 1]) end
    end
  end

  if not known and stored <= SMALL then
    local found = strangers(redis.call('ZRANGE', room, 0, -1, 'WITHSCORES'), stored)
    -- Ours are there, and what we knew of the room is not any more: should someone stand at its beginning.
    if #found < stored then begin_anew() end
    -- The room's first messages: 0 until someone has told the people in it.
    if #found == stored and stored > 0 and tonumber(found[1][2]) > clock[1] - YOUNG then redis.call('HSETNX', meta, 'shown', 0) end
    known = stored - #found
    adopt(found)
  elseif not known then
    begin_anew()
    known = stored
    index(LOOKED_AT)
  else
    local late = deadline and now >= tonumber(deadline)
    local puzzled = tonumber(puzzle) == stored - known
    -- What was heard of is looked for in any case: others may have taken members away meanwhile.
    if heard ~= '' then
      local found = strangers_between(heard, math.floor(heard), LOOKED_AT)
      -- Redis orders those of one second by their bytes.
      local function place(stranger) return string.find(order, digest(stranger[1]), 1, true) or math.huge end
      if order ~= '' then table.sort(found, function(one, other) return place(one) < place(other) end) end
      adopt(found)
    end
    if stored ~= known and (not puzzled or late) then
      local most = stored > known and stored - known or LOOKED_AT
      local found = strangers_between(clock[1] + AHEAD, '-inf', most)
      adopt(found)
      if #found < most then adopt(strangers_between('+inf', '(' .. clock[1] + AHEAD, most - #found)) end
    end
    if known < stored and not late then
      redis.call('HSET', meta, 'puzzle', stored - known, 'deadline', deadline or string.format('%.0f', now + PATIENCE))
    else
      if known < stored then begin_anew() end
      known = stored
      if deadline then redis.call('HDEL', meta, 'puzzle', 'deadline') end
    end
    if since then index(INDEXED) end
  end
  if known > 0 or stored > 0 then redis.call('HSET', meta, 'known', known) end
end
known = known or 0
