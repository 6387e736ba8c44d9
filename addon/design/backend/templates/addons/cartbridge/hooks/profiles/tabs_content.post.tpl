{if $cartbridge_user_id}
{$format = "`$settings.Appearance.date_format`, `$settings.Appearance.time_format`"}
<div id="content_cartbridge" class="hidden">
    {include file="addons/cartbridge/views/cartbridge/customer.tpl"}
    {if $cartbridge_known.stale}
        <script>
        (function (_, $) {
            $(function () {
                $.ceAjax('request', '{"cartbridge.customer?user_id=`$cartbridge_user_id`"|fn_url:"A":"current"|escape:javascript nofilter}', {
                    method: 'get', result_ids: 'cartbridge_view', hidden: true, caching: false
                });
            });
        }(Tygh, Tygh.$));
        </script>
    {/if}

    {include file="common/subheader.tpl" title=__("cartbridge.shared_tags")}
    <input type="hidden" name="cartbridge_user_id" value="{$cartbridge_user_id}" />
    {if $cartbridge_tags}
        <fieldset>
            <legend class="muted">{__("cartbridge.tags_to_remove")}</legend>
            {foreach $cartbridge_tags as $tag}
                <label class="checkbox inline"><input type="checkbox" name="cartbridge_tags[]" value="{$tag}" /> {$tag}</label>
            {/foreach}
            <input type="submit" class="btn cm-skip-validation" name="dispatch[cartbridge.tag_remove]" value="{__("cartbridge.remove_tags")}" />
        </fieldset>
    {else}
        <p>{__("cartbridge.none")}</p>
    {/if}
    <p>
        <label for="cartbridge_tag">{__("cartbridge.new_tag")}</label>
        <input type="text" id="cartbridge_tag" name="cartbridge_tag" maxlength="100" value="" />
        <input type="submit" class="btn cm-skip-validation" name="dispatch[cartbridge.tag_add]" value="{__("cartbridge.add_tag")}" />
    </p>

    {include file="common/subheader.tpl" title=__("cartbridge.shared_notes")}
    {foreach $cartbridge_notes as $note}
        <div class="well">
            <p class="muted">
                {$note.author} {$note.created_at|date_format:$format}
                {if $note.updated_at > $note.created_at}({__("cartbridge.changed")} {$note.updated_at|date_format:$format}){/if}
                {if $note.external_id}<span class="label">{__("cartbridge.from_highlevel")}</span>{/if}
            </p>
            <p>{$note.body|escape|nl2br nofilter}</p>
            {if !$note.external_id}
                <details{if $cartbridge_draft.note_id == $note.note_id} open{/if}>
                    <summary>{__("cartbridge.change_note")}</summary>
                    <p>
                        <label for="cartbridge_body_{$note.note_id}">{__("cartbridge.note_text")}</label>
                        <textarea id="cartbridge_body_{$note.note_id}" name="cartbridge_bodies[{$note.note_id}]" rows="4" class="input-large">{if $cartbridge_draft.note_id == $note.note_id}{$cartbridge_draft.body}{else}{$note.body}{/if}</textarea>
                    </p>
                    <p>
                        <input type="submit" class="btn cm-skip-validation" name="dispatch[cartbridge.note_update.{$note.note_id}]" value="{__("cartbridge.save_note")}" />
                        <input type="submit" class="btn cm-skip-validation cm-confirm" name="dispatch[cartbridge.note_delete.{$note.note_id}]" value="{__("cartbridge.delete_note")}" />
                    </p>
                </details>
            {/if}
        </div>
    {foreachelse}
        <p>{__("cartbridge.none")}</p>
    {/foreach}
    {if $cartbridge_older_notes > 0}<p class="muted">{__("cartbridge.older_notes", ["[count]" => $cartbridge_older_notes])}</p>{/if}
    <p>
        <label for="cartbridge_body">{__("cartbridge.new_note")}</label>
        <textarea id="cartbridge_body" name="cartbridge_body" rows="4" class="input-large" aria-describedby="cartbridge_body_hint">{if !$cartbridge_draft.note_id}{$cartbridge_draft.body}{/if}</textarea>
        <span id="cartbridge_body_hint" class="muted">{__("cartbridge.note_hint")}</span>
    </p>
    <p><input type="submit" class="btn cm-skip-validation" name="dispatch[cartbridge.note_add]" value="{__("cartbridge.add_note")}" /></p>
<!--content_cartbridge--></div>
{/if}
