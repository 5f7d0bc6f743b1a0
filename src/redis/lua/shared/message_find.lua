-- The member of a room at a score that is the message with an id; nil where it is gone. A message of ours says its id; that of
-- another's ends with a digest. Uses room.
local function find_message(id, score)
  local says_so = string.format('"id":"%s"', id)
  local its_digest = string.match(id, '%-(%x+)$')
  for _, member in ipairs(redis.call('ZRANGE', room, score, score, 'BYSCORE')) do
    if string.sub(member, -2) == ' }' then
      if string.find(member, says_so, 1, true) then return member end
    elseif its_digest and string.sub(redis.sha1hex(member), 1, #its_digest) == its_digest then
      return member
    end
  end
end
