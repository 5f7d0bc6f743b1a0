--[[ message_find: finds a message of a room by its id. A part of each script that takes such an id. Uses the script's room, and is_ours
     and foreign_id of message_id.
     Palaver's messages contain their id. The id of a demo app's message is computed from its score and its bytes. ]]

-- The id of a member of the room.
local function id_of(member, score)
  local own = is_ours(member) and string.match(member, ',"id":"([^"]+)"')
  return own or foreign_id(member, score)
end

-- The author of a member that a demo app stored; nil if it is not a message.
local function foreign_sender(member)
  -- cjson refuses single halves of surrogate pairs, which a text may contain.
  local is_json, fields = pcall(cjson.decode, (string.gsub(member, '\\u[dD]%x%x%x', '\\u0020')))
  if not is_json or type(fields) ~= 'table' then return nil end
  local from, text = fields.from, fields.message
  if from == nil then from = fields.From end -- the .NET demo's fields start with capitals
  if text == nil then text = fields.Message end
  if type(from) == 'number' then from = string.format('%.17g', from) end
  return type(text) == 'string' and type(from) == 'string' and from or nil
end

-- The message with this id as { member, score, from, ours }; nil if there is none, or too much data with that score to search.
local function find(id, at_score)
  local STEP, FEW = 100, 8 -- members read at once, normally and after a large portion
  local LARGE = 65536     -- bytes that make a portion large
  local MOST = 2500       -- members with one score that are searched
  local LARGEST = 4194304 -- bytes of these members
  local LONGEST = 65536    -- bytes; a longer member is not a message
  local own = ',"id":"' .. id .. '"'
  local looked_at, bytes, step, found = 0, 0, FEW, nil
  while looked_at < MOST and bytes < LARGEST do
    local members = redis.call('ZRANGE', room, at_score, at_score, 'BYSCORE', 'LIMIT', looked_at, step, 'WITHSCORES')
    local before = bytes
    for index = 1, #members, 2 do
      local member, score = members[index], members[index + 1]
      bytes = bytes + #member
      if is_ours(member) then
        if string.find(member, own, 1, true) then
          return { member = member, score = score, from = string.match(member, '^{"from":"(%d+)"'), ours = true }
        end
      elseif not found and #member <= LONGEST and foreign_id(member, score) == id then
        local from = foreign_sender(member)
        found = from and { member = member, score = score, from = from, ours = false }
      end
    end
    if #members < 2 * step then break end
    looked_at = looked_at + step
    step = bytes - before > LARGE and FEW or STEP
  end
  return found
end
